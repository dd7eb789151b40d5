-- What became of the items, into their own table, when their results are in the target. Only of items that the execution
-- still holds. An attempt of a dead execution that began and has no result is counted.
merge $source as s
using (
    select id, claim, kind, attempt, error
    from $staged
    where batch in unnest(@batches) and (@dead or kind <> 'start')
    qualify row_number() over (
        partition by id, claim order by if(kind = 'start', 1, 0), attempt desc, staged_at desc
    ) = 1
) as r
on cast(s.$id as string) = r.id and s.claim = r.claim and s.owner = @owner and s.$status = 'PROCESSING'
when matched and r.kind = 'start' then update set attempt = r.attempt, error = @died
when matched and r.kind = 'retry' then update set
    $status = 'PENDING', owner = null, claim = null, attempt = r.attempt, error = r.error
when matched then update set
    $status = if(r.kind = 'completed', 'DONE', 'FAILED'), attempt = r.attempt, error = r.error
