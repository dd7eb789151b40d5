select
    i.id, i.video_key, v.location, i.collection, coalesce(i.title, v.title) as title, i.options, b.plan, b.trust,
    b.owner, b.reuse, i.reference
from rushes.items i
join rushes.videos v on v.key = i.video_key
join rushes.batches b on b.id = i.batch_id
where i.id = any($1::bigint[])
