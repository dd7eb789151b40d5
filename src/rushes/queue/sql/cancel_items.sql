update rushes.items set status = 'cancelled', finished_at = now()
where batch_id = $1 and status in ('pending', 'processing')
returning id
