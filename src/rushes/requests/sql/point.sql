-- Have requests point at their items. Two that are about one video have one item. Relies on items_batch_id_video_key_key.
update rushes.requests r set batch_id = $1, item_id = i.id
from unnest($2::uuid[], $3::text[]) as n (request_id, key)
join rushes.items i on i.batch_id = $1 and i.video_key = n.key
where r.request_id = n.request_id
