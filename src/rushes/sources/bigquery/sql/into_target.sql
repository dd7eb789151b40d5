-- Staged results into the target: one row an id, the last attempt's. Only of items that the execution still holds, under
-- the claim that they were worked at.
merge $target as t
using (
    select r.id, r.claim, r.attempt, r.kind, r.staged_at, r.result
    from $staged as r
    join (
        select distinct cast($id as string) as id, claim
        from $source
        where owner = @owner and $status = 'PROCESSING'
    ) as s
    on s.id = r.id and s.claim = r.claim
    where r.batch in unnest(@batches) and r.kind in ('completed', 'failed')
    qualify row_number() over (partition by r.id order by r.attempt desc, r.staged_at desc) = 1
) as r
on cast(t.$id as string) = r.id
when matched then update set $assignments
when not matched then insert ($columns) values ($values)
