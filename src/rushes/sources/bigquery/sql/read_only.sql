-- The same where the table of items is only read: no claim, and no attempts but those of this execution.
select
    s.id, '' as claim, min(s.url) as url, min(s.title) as title, min(s.payload) as payload,
    0 as attempt, cast(null as string) as error, max(r.started) as started
from (
    select cast($id as string) as id, $url as url, $title as title, $payload as payload
    from $source
    where
        $id is not null and $pending and $where
        and mod(mod(farm_fingerprint(cast($id as string)), @tasks) + @tasks, @tasks) = @task
) as s
left join (
    select distinct cast($id as string) as id
    from $target
    where $status in ('COMPLETED', 'FAILED_PROCESSING')
) as t
on t.id = s.id
left join (
    select id, max(if(kind = 'start', attempt, null)) as started, countif(kind <> 'start') as results
    from $staged
    group by id
) as r
on r.id = s.id
where t.id is null and ifnull(r.results, 0) = 0
group by s.id
