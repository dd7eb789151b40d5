-- Which staged batches have something that is not in the tables yet. The statements after it keep to these: what is staged
-- between them waits for the next time. Starts count only for an execution that is dead: its items' next attempts follow.
select distinct r.batch
from $staged as r
join (
    select cast($id as string) as id, claim
    from $source
    where owner = @owner and $status = 'PROCESSING'
) as s
on s.id = r.id and s.claim = r.claim
where @dead or r.kind <> 'start'
