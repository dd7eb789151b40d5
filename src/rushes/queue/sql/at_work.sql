-- What runs of one batch, first come first. Relies on jobs_leased, which holds what runs.
select i.position, coalesce(i.title, v.title, i.given) as title, i.collection, j.kind, j.step, j.progress, j.note
from rushes.jobs j
join rushes.items i on i.id = j.item_id
join rushes.videos v on v.key = i.video_key
where j.batch_id = $1 and j.status = 'processing'
order by i.position
limit 100
