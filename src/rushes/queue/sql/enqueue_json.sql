-- Add jobs given as JSON, what they share apart, in their order; of keys only those of which no job lives (jobs_deduplicated).
-- Answers with pairs of position and id. No id: the key's job has just been added or ended by somebody, so ask again.
--
-- One text goes in and one comes out, so that every driver can send it inside its caller's transaction ("cast", because a
-- colon after a parameter confuses some). NOTIFY is heard when that commits. Keys are inserted in their own order: two callers with keys in common never wait in a circle.
with asked as materialized (
    select cast($1 as text)::jsonb as json
), given as materialized (
    select g.*
    from asked
    cross join lateral jsonb_array_elements(asked.json -> 'jobs') as own (job)
    cross join lateral jsonb_to_record((asked.json -> 'shared') || own.job) as g (
        position integer, kind text, priority smallint, payload jsonb, batch_id bigint, item_id bigint, step smallint,
        video_id text, lane text, host text, max_attempts smallint, backoff_base interval, backoff_cap interval,
        backoff_jitter real, timeout interval, run_at timestamptz, dedup_key text, github_workflow_run_id text
    )
), numbered as materialized (
    select o.*, nextval('rushes.jobs_id_seq') as id
    from (select * from given order by position) o
), added as (
    insert into rushes.jobs (
        id, kind, priority, payload, batch_id, item_id, step, video_id, lane, host, max_attempts, backoff_base,
        backoff_cap, backoff_jitter, timeout, run_at, dedup_key, github_workflow_run_id, status, held, limited
    )
    overriding system value
    select
        n.id, n.kind, n.priority, n.payload, n.batch_id, n.item_id, n.step, n.video_id, n.lane, n.host, n.max_attempts,
        n.backoff_base, n.backoff_cap, n.backoff_jitter, n.timeout, n.run_at, n.dedup_key, n.github_workflow_run_id,
        case when n.run_at > now() then 'retrying' else 'queued' end,
        coalesce(b.status = 'paused', false),
        coalesce(l.rate is not null or l.concurrency is not null, false)
    from numbered n
    left join rushes.batches b on b.id = n.batch_id
    left join rushes.lanes l on l.name = n.lane
    order by n.dedup_key nulls first, n.position
    on conflict (dedup_key) where dedup_key is not null and status in ('queued', 'processing', 'retrying') do nothing
    returning id
), rung as (
    select pg_notify('rushes_jobs', '') from asked where (json ->> 'ring')::boolean
)
select json_agg(json_build_array(n.position, coalesce(added.id, living.id)))::text
from numbered n
left join added on added.id = n.id
left join lateral (
    select j.id from rushes.jobs j
    where added.id is null and j.dedup_key = n.dedup_key and j.status in ('queued', 'processing', 'retrying')
    limit 1
) living on true
left join rung on true
