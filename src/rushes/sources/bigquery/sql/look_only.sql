-- The same where the table of items is only read: what the target has no final result of.
select task, standing, cast(null as string) as owner, count(distinct item) + countif(item is null) as number
from (
    select
        mod(mod(farm_fingerprint(s.id), @tasks) + @tasks, @tasks) as task,
        case when s.id is null then 'nameless' else ifnull(r.kind, 'own') end as standing,
        s.id as item
    from (
        select cast($id as string) as id
        from $source
        where $pending and $where
    ) as s
    left join (
        select distinct cast($id as string) as id
        from $target
        where $status in ('COMPLETED', 'FAILED_PROCESSING')
    ) as t
    on t.id = s.id
    left join (
        select id, min(kind) as kind
        from $staged
        where kind <> 'start'
        group by id
    ) as r
    on r.id = s.id
    where t.id is null
) as items
group by task, standing
