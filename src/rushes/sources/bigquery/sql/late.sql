-- How many results this execution has staged under claims that it lost.
select count(*) as number
from $staged as r
left join (
    select distinct cast($id as string) as id, claim
    from $source
    where owner = @execution
) as s
on s.id = r.id and s.claim = r.claim
where r.kind in ('completed', 'failed') and s.id is null
