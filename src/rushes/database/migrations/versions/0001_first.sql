-- The whole schema. Words and statuses are those of rushes.model; every time is the database's clock.

create schema if not exists rushes;

-- One running process each, fresh at every start. Host, boot, pid and start time tell whether it can still be alive.
create table rushes.workers (
    id bigint generated always as identity primary key,
    host text not null,
    boot text not null,
    pid integer not null,
    process_started double precision not null,
    started_at timestamptz not null default now(),
    stopped_at timestamptz
);
create index workers_alive on rushes.workers (host) where stopped_at is null;

-- Videos are known once, however often they are listed.
create table rushes.videos (
    key text primary key,
    location text not null,
    title text,
    duration interval
);
create table rushes.video_aliases (
    alias text primary key,
    key text not null references rushes.videos
);

create table rushes.batches (
    id bigint generated always as identity primary key,
    name text not null,
    owner text,
    run_key text,
    pipeline text not null,
    plan jsonb not null,
    trust text not null check (trust in ('local', 'untrusted')),
    reuse boolean not null default true,
    priority smallint not null default 0 check (priority between 0 and 10),
    status text not null default 'pending'
        check (status in ('pending', 'processing', 'paused', 'completed', 'failed', 'cancelled')),
    pause_reason text,
    pause_remedy text,
    -- Counted in the settling transaction alone. Invalid and duplicate lines are not in the total.
    total integer not null default 0,
    completed integer not null default 0,
    failed integer not null default 0,
    cancelled integer not null default 0,
    skipped integer not null default 0,
    invalid integer not null default 0,
    duplicates integer not null default 0,
    last_event bigint not null default 0,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
);
create index batches_run on rushes.batches (run_key, id desc) where run_key is not null;

create table rushes.items (
    id bigint generated always as identity primary key,
    batch_id bigint not null references rushes.batches on delete cascade,
    position integer not null,
    given text not null,
    origin text not null default '',
    reference text,
    video_key text not null references rushes.videos,
    collection boolean not null default false,
    title text,
    options jsonb not null default '{}',
    status text not null default 'pending'
        check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled', 'skipped')),
    skip_reason text check (skip_reason in ('already_done', 'condition', 'expanded')),
    error_class text,
    error text,
    remedy text,
    started_at timestamptz,
    finished_at timestamptz,
    unique (batch_id, position),
    unique (batch_id, video_key)
);

-- Lines of the input that became no item: kept, reported, exported, never counted in totals.
create table rushes.lines (
    batch_id bigint not null references rushes.batches on delete cascade,
    number integer not null,
    origin text not null,
    text text not null,
    verdict text not null check (verdict in ('duplicate', 'invalid')),
    reason text not null,
    primary key (batch_id, number)
);

create table rushes.jobs (
    id bigint generated always as identity primary key,
    kind text not null,
    status text not null default 'queued'
        check (status in ('queued', 'processing', 'retrying', 'completed', 'failed', 'cancelled')),
    priority smallint not null default 0 check (priority between 0 and 10),
    -- Its batch is paused. Not a status of its own: what it was goes on when the batch does.
    held boolean not null default false,
    attempts smallint not null default 0,
    max_attempts smallint not null default 3,
    crashes smallint not null default 0,
    backoff_base interval not null default '1 second',
    backoff_cap interval not null default '10 minutes',
    backoff_jitter real not null default 0,
    timeout interval,
    batch_id bigint references rushes.batches on delete cascade,
    item_id bigint references rushes.items on delete cascade,
    step smallint,
    video_id text,
    payload jsonb not null default '{}',
    lane text,
    -- Only this host can run it: its file lies there.
    host text,
    -- The lease: who holds it, until when, and a token that only grows.
    token integer not null default 0,
    worker_id bigint,
    lease_until timestamptz,
    progress real,
    note text,
    run_at timestamptz,
    deferred_at timestamptz,
    result jsonb,
    fingerprint text,
    error_class text,
    error text,
    error_details jsonb,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
) with (
    -- A claim and an outcome each leave a dead row behind: clean up after 1 % rather than 20 %, without pausing.
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);
-- The order of claims, for any worker and for a worker of one batch.
create index jobs_ready on rushes.jobs (kind, priority desc, id) where status = 'queued' and not held;
create index jobs_ready_batch on rushes.jobs (batch_id, kind, priority desc, id)
    where status = 'queued' and not held and batch_id is not null;
create index jobs_due on rushes.jobs (run_at) where status = 'retrying' and not held;
-- Read twice a second by whoever watches a batch: it must not go through the jobs that merely wait for their turn.
create index jobs_retrying_batch on rushes.jobs (batch_id, lane) where status = 'retrying';
create index jobs_leased on rushes.jobs (lease_until) where status = 'processing';
create index jobs_lane on rushes.jobs (lane, id) where status = 'queued' and lane is not null;
create index jobs_item on rushes.jobs (item_id, step);
create index jobs_live_batch on rushes.jobs (batch_id, id) where status in ('queued', 'processing', 'retrying');

-- A host that asked for rest.
create table rushes.lanes (
    name text primary key,
    paused_until timestamptz not null,
    reason text not null
);

-- What is paused by hand: '*' is the whole queue, else a kind of jobs.
create table rushes.pauses (
    kind text primary key,
    since timestamptz not null default now()
);

-- What runs of stages made, under the identity by which later runs may use it again.
create table rushes.artifacts (
    id bigint generated always as identity primary key,
    fingerprint text not null,
    job_id bigint not null,
    kind text not null,
    name text not null,
    size bigint not null,
    sha256 text not null,
    media_type text not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now()
);
create index artifacts_made on rushes.artifacts (fingerprint, id);

-- What a reader follows: numbers are gapless within a batch, and their order is the order of commits.
create table rushes.events (
    batch_id bigint not null references rushes.batches on delete cascade,
    number bigint not null,
    at timestamptz not null default now(),
    kind text not null,
    item_id bigint,
    data jsonb not null default '{}',
    primary key (batch_id, number)
);

-- The full-text index over everything said and summed up.
create table rushes.passages (
    video_key text not null references rushes.videos on delete cascade,
    stage text not null,
    position integer not null,
    start real not null,
    text text not null,
    -- English stems for the usual case, bare words for every other language.
    words tsvector generated always as (to_tsvector('english', text) || to_tsvector('simple', text)) stored,
    primary key (video_key, stage, position)
);
create index passages_words on rushes.passages using gin (words);
