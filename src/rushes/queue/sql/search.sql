-- Relies on passages_words. The query is read as English and as bare words: a stem of either finds the passage.
with query as (
    select websearch_to_tsquery('english', $1) || websearch_to_tsquery('simple', $1) as words
)
select
    coalesce(v.title, v.location) as title, v.location, p.stage, p.start,
    ts_headline('english', p.text, query.words, 'StartSel=«, StopSel=», MaxFragments=1, MaxWords=30, MinWords=15') as text
from query, rushes.passages p
join rushes.videos v on v.key = p.video_key
where p.words @@ query.words
order by ts_rank(p.words, query.words) desc, p.video_key, p.start
limit $2
