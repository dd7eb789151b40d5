-- How many items there are: by the task that works at them, by how they stand, and by who holds them. Items that are done
-- are not looked at; of those that are pending, or held by others, only what the user's condition lets through.
select task, standing, owner, count(distinct item) + countif(item is null) as number
from (
    select
        mod(mod(farm_fingerprint(s.id), @tasks) + @tasks, @tasks) as task,
        case
            when s.id is null then 'nameless'
            when s.status = 'PENDING' then 'pending'
            when s.owner = @execution then ifnull(r.kind, 'own')
            when s.owner is null then 'ownerless'
            when s.owner in (select execution from $executions where lease_until > current_timestamp()) then 'leased'
            else 'lapsed'
        end as standing,
        s.owner as owner,
        concat(s.id, '/', ifnull(s.claim, '')) as item
    from (
        select cast($id as string) as id, $status as status, owner, claim
        from $source
        where $status in ('PENDING', 'PROCESSING') and (owner = @execution or $where)
    ) as s
    left join (
        select id, claim, min(kind) as kind
        from $staged
        where kind <> 'start'
        group by id, claim
    ) as r
    on r.id = s.id and r.claim = s.claim
) as items
group by task, standing, owner
