select
    i.id, i.position, i.given, i.origin, i.reference, i.video_key, coalesce(i.title, v.title) as title, i.status,
    i.skip_reason, i.error_class, i.error, i.remedy, v.duration
from rushes.items i
join rushes.videos v on v.key = i.video_key
where
    i.batch_id = $1 and i.position > $2 and i.skip_reason is distinct from 'expanded'
    and ($4::integer[] is null or i.position = any($4))
order by i.position
limit $3
