-- The same where the table of items is only read. Whose they are is there for others who take part in the merge.
select distinct r.batch, @owner as owner
from $staged as r
left join (
    select distinct cast($id as string) as id
    from $target
    where $status in ('COMPLETED', 'FAILED_PROCESSING')
) as t
on t.id = r.id
where t.id is null and r.kind in ('completed', 'failed')
