with live as (
    select id from rushes.items where batch_id = $1 and status in ('pending', 'processing') order by id for update
), ended as (
    update rushes.items i set status = 'cancelled', finished_at = now() from live where i.id = live.id returning 1
)
select count(*) from ended
