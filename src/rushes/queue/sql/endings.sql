-- Events of a batch after a number, with the position of the item that ended, if one did.
select e.number, case when e.kind in ('item_completed', 'item_failed', 'item_cancelled') then i.position end as position
from rushes.events e
left join rushes.items i on i.id = e.item_id
where e.batch_id = $1 and e.number > $2
order by e.number
limit $3
