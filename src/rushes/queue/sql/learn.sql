-- What stages learnt about the videos themselves. Empty fields change nothing.
with fact as (
    select * from unnest($1::bigint[], $2::text[], $3::interval[]) as f (item_id, title, duration)
), titled as (
    update rushes.items i set title = coalesce(f.title, i.title)
    from fact f where i.id = f.item_id
    returning i.video_key, f.title, f.duration
)
update rushes.videos v set title = coalesce(t.title, v.title), duration = coalesce(t.duration, v.duration)
from titled t where v.key = t.video_key
