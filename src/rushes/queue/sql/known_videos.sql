-- Videos by their keys, or by other keys of theirs.
select v.key as reference, v.key, v.location, v.title from rushes.videos v where v.key = any($1::text[])
union all
select a.alias, v.key, v.location, v.title
from rushes.video_aliases a join rushes.videos v on v.key = a.key
where a.alias = any($1::text[])
