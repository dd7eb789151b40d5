-- One task's items of this execution whose results are not staged, each once however many rows have its id. `started` is
-- the last attempt that began under this claim, where that is written down.
select
    s.id, s.claim, min(s.url) as url, min(s.title) as title, min(s.payload) as payload,
    max(s.attempt) as attempt, max(s.error) as error, max(r.started) as started
from (
    select
        cast($id as string) as id, $url as url, $title as title, $payload as payload, claim, ifnull(attempt, 0) as attempt, error
    from $source
    where
        owner = @execution and $status = 'PROCESSING'
        and mod(mod(farm_fingerprint(cast($id as string)), @tasks) + @tasks, @tasks) = @task
) as s
left join (
    select id, claim, max(if(kind = 'start', attempt, null)) as started, countif(kind <> 'start') as results
    from $staged
    group by id, claim
) as r
on r.id = s.id and r.claim = s.claim
where ifnull(r.results, 0) = 0
group by s.id, s.claim
