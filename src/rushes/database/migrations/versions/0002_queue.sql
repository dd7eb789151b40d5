-- The queue for other people's jobs: keys that live once, limits across workers, workflows, statistics that outlive rows.

alter table rushes.jobs
    -- One live job per key.
    add column dedup_key text,
    add column github_workflow_run_id text,
    -- How many attempts at that run are over: what is heard of them once more changes nothing.
    add column github_attempts_over integer,
    -- Goes by the limits of its lane: only a claim that looks at them may take it. Like `held`, not a status of its own.
    add column limited boolean not null default false;

create unique index jobs_deduplicated on rushes.jobs (dedup_key)
    where dedup_key is not null and status in ('queued', 'processing', 'retrying');
create index jobs_workflow on rushes.jobs (github_workflow_run_id) where github_workflow_run_id is not null;

-- The order of claims holds what can be claimed and nothing else. What has no item, batch or lane costs no entry, and its
-- conditions come first: they are asked at every write of every job, and the first that fails ends the asking.
drop index rushes.jobs_ready, rushes.jobs_ready_batch, rushes.jobs_item, rushes.jobs_lane, rushes.jobs_live_batch,
    rushes.jobs_retrying_batch;
create index jobs_ready on rushes.jobs (kind, priority desc, id) where not held and not limited and status = 'queued';
create index jobs_ready_batch on rushes.jobs (batch_id, kind, priority desc, id)
    where batch_id is not null and not held and not limited and status = 'queued';
create index jobs_live_batch on rushes.jobs (batch_id, id)
    where batch_id is not null and status in ('queued', 'processing', 'retrying');
create index jobs_retrying_batch on rushes.jobs (batch_id, lane) where batch_id is not null and status = 'retrying';
create index jobs_item on rushes.jobs (item_id, step) where item_id is not null;
create index jobs_lane on rushes.jobs (lane, priority desc, id)
    where lane is not null and not limited and status = 'queued';
-- The order of claims within each limited lane.
create index jobs_limited on rushes.jobs (lane, held, kind, priority desc, id) where limited and status = 'queued';
create index jobs_limited_batch on rushes.jobs (batch_id, lane, kind, priority desc, id)
    where limited and batch_id is not null and not held and status = 'queued';
create index jobs_lane_running on rushes.jobs (lane) where lane is not null and status = 'processing';

-- A lane rests until a time, or has limits that hold across workers, or both.
alter table rushes.lanes
    alter column paused_until drop not null,
    alter column reason drop not null,
    -- Starts per second.
    add column rate double precision check (rate > 0 and rate <= 1000000),
    add column concurrency integer check (concurrency > 0),
    -- Not before this the next start: grows by 1/rate with each (the generic cell rate algorithm).
    add column next_start timestamptz,
    add column limited boolean not null generated always as (rate is not null or concurrency is not null) stored;

-- What the limits of each lane allow at this moment: `ahead` is the seconds to its next start by its rate, `room` how many
-- may start. From ten a second on, starts come in bunches of a tenth of a second's worth. A next start that is further off
-- than its rate explains stems from another rate, or from a clock that was set back since: it does not count. Relies on
-- jobs_lane_running.
create view rushes.turns as
select
    name, rate, concurrency, running, ahead, bunch,
    greatest(least(concurrency - running, floor(rate * (bunch - ahead)) + 1), 0)::integer as room
from (
    select
        l.name, l.rate, l.concurrency, p.bunch,
        (select count(*) from rushes.jobs j where j.lane = l.name and j.status = 'processing') as running,
        case when p.seconds > 0 and p.seconds < p.bunch + 1 / l.rate + 0.001 then p.seconds else 0 end as ahead
    from rushes.lanes l
    cross join lateral (
        select
            case when l.rate >= 10 then 0.1 else 0 end::double precision as bunch,
            extract(epoch from l.next_start - statement_timestamp())::double precision as seconds
    ) p
    where l.limited and (l.paused_until is null or l.paused_until <= now())
) allowed;

-- How many jobs of a kind run at once, all workers together.
create table rushes.limits (
    kind text primary key,
    concurrency integer not null check (concurrency > 0)
);

-- What an outcome makes of its job: one rule, for workers of whatever version.
create function rushes.status_after(verdict text, error_class text, job rushes.jobs) returns text
    language sql stable parallel safe
    return case
        when verdict in ('completed', 'failed') then verdict
        -- What the environment lacks pauses the batch; a job without one can only fail.
        when verdict = 'returned' then
            case when error_class is not null and (job).batch_id is null then 'failed' else 'queued' end
        -- Its process died. Uncounted, since a person may have killed it, but not without end.
        when verdict = 'orphaned' then case when (job).crashes >= 4 then 'failed' else 'queued' end
        when verdict = 'deferred' then
            case when (job).deferred_at < now() - interval '1 day' then 'failed' else 'retrying' end
        when (job).attempts >= (job).max_attempts then 'failed'
        when verdict = 'lost' then 'queued'
        else 'retrying'
    end;

-- The items of jobs just claimed are at work from now on, and so are their batches, locked in the order of ids.
create function rushes.begin_items(numbers bigint[]) returns void
    language sql
    as $$
        with begun as (
            update rushes.items set status = 'processing', started_at = now()
            where id = any(numbers) and status = 'pending'
            returning batch_id
        ), pending as (
            select id from rushes.batches
            where id = any(array(select batch_id from begun)) and status = 'pending'
            order by id for no key update
        )
        update rushes.batches b set status = 'processing', started_at = coalesce(b.started_at, now())
        from pending
        where b.id = pending.id
    $$;

-- Durations in steps of a tenth: 0 is up to 1 ms, and step n ends at 1.1^n ms. Percentiles are read from them.
create function rushes.step_of(duration interval) returns smallint
    language sql immutable parallel safe
    return case
        when duration is not null
        then ceil(ln(greatest(date_part('epoch', duration) * 1000, 1)) / ln(1.1::double precision))
    end::smallint;

-- What ended, in sums. Every settlement adds rows and locks none; upkeep puts rows of the same minute together, and later
-- those of the same hour. Rows taken back (a job retried by hand) are negative. What is pruned stays counted.
create table rushes.tallies (
    at timestamptz not null,
    kind text not null,
    status text not null check (status in ('completed', 'failed', 'cancelled')),
    -- Steps of the time waited and run; null where the job never started.
    wait smallint,
    run smallint,
    jobs bigint not null,
    waited double precision not null,
    ran double precision not null,
    -- How far it is put together: 0 as it was written, 1 a minute, 2 an hour, 3 a day.
    grain smallint not null default 0,
    -- Put together, the steps stand here instead, each with how many jobs: one row says what thousands did.
    wait_steps smallint[],
    wait_jobs bigint[],
    run_steps smallint[],
    run_jobs bigint[]
) with (
    -- As many rows go as come: without haste the next roll-up would walk over the dead ones of many minutes.
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
create index tallies_grain on rushes.tallies (grain, at);

-- What has ended so far.
insert into rushes.tallies
select
    date_trunc('minute', coalesce(finished_at, created_at)), kind, status,
    rushes.step_of(started_at - created_at), rushes.step_of(finished_at - started_at), count(*),
    coalesce(sum(extract(epoch from started_at - created_at)), 0),
    coalesce(sum(extract(epoch from finished_at - started_at)), 0)
from rushes.jobs
where status in ('completed', 'failed', 'cancelled')
group by 1, 2, 3, 4, 5;

-- Failed for good, by class of error and kind. Only failures cost an entry.
create index jobs_failed on rushes.jobs (error_class, kind, finished_at, id) where status = 'failed';
-- Whatever belongs to a batch, to list it and to remove it. Jobs without a batch cost no entry.
create index jobs_batch on rushes.jobs (batch_id, id) where batch_id is not null;

-- What one worker of all does now and then, from when on, and how far it has come.
create table rushes.chores (
    name text primary key,
    due_at timestamptz not null default now(),
    position bigint not null default 0
);
insert into rushes.chores (name) values ('retention');

-- What said how a used file was made goes with its job, when that is pruned, unless it is kept here.
alter table rushes.artifacts add column result jsonb;

-- Rows that are written again and again, each in its place: room for the next version in the same page, so that no index
-- is touched, and few dead ones before they are cleared away.
alter table rushes.lanes set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
alter table rushes.batches set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
alter table rushes.items set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
-- What is queued changes from minute to minute: the planner must not go by what was true 500,000 jobs ago.
alter table rushes.jobs set (autovacuum_analyze_scale_factor = 0.02);
