update rushes.items set status = 'cancelled', finished_at = now()
where id = any($1::bigint[]) and status in ('pending', 'processing')
returning id, batch_id
