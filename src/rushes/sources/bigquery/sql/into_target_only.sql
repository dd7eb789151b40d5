-- The same where the table of items is only read: nobody holds anything.
merge $target as t
using (
    select id, claim, attempt, kind, staged_at, result
    from $staged
    where batch in unnest(@batches) and kind in ('completed', 'failed')
    qualify row_number() over (partition by id order by attempt desc, staged_at desc) = 1
) as r
on cast(t.$id as string) = r.id
when matched then update set $assignments
when not matched then insert ($columns) values ($values)
