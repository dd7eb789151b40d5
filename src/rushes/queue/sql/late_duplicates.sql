-- Items whose video, now that its extractor has named it, is another item's of the same batch.
select distinct on (i.id) i.id as item_id, o.position as same_as
from unnest($1::bigint[], $2::text[]) as learnt (item_id, alias)
join rushes.items i on i.id = learnt.item_id
join rushes.video_aliases a on a.alias = learnt.alias and a.key <> i.video_key
join rushes.items o on o.batch_id = i.batch_id and o.video_key = a.key and o.status not in ('failed', 'cancelled')
order by i.id, o.position
