-- What stood for many videos is not counted itself.
select status, count(*) as items from rushes.items
where batch_id = $1 and skip_reason is distinct from 'expanded'
group by status
