-- Replace a video's passages of one stage in the full-text index.
with gone as (
    delete from rushes.passages
    where video_key = $1 and stage = $2 and position >= coalesce(array_length($3::real[], 1), 0)
)
insert into rushes.passages (video_key, stage, position, start, text)
select $1, $2, p.position - 1, p.start, p.text
from unnest($3::real[], $4::text[]) with ordinality as p (start, text, position)
on conflict (video_key, stage, position) do update set start = excluded.start, text = excluded.text
