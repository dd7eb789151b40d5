-- What messages asked for: each request once, however often its message is delivered.

create table rushes.requests (
    id bigint generated always as identity primary key,
    -- Null for a message that names none: it is recorded with what is wrong with it.
    request_id uuid unique,
    correlation_id text,
    -- The last message that brought it, and where from.
    subscription text not null,
    message_id text not null,
    pipeline text,
    -- What it is about, for whoever looks: its address, or the beginning of its text. Secrets in it are masked.
    about text,
    status text not null check (status in ('queued', 'processing', 'retrying', 'completed', 'failed')),
    stage text,
    percentage smallint not null default 0 check (percentage between 0 and 100),
    attempts integer not null default 0,
    -- How often its worker fell silent while it ran. It may be to blame.
    crashes integer not null default 0,
    -- The lease: until when, and a token that only grows. Who has an older one writes nothing.
    token integer not null default 0,
    lease_until timestamptz,
    error_class text,
    error text,
    remedy text,
    result jsonb,
    -- When its result was published, where there is a topic for results.
    told_at timestamptz,
    -- The item of the queue that it was made into, where messages go into the queue.
    batch_id bigint references rushes.batches on delete set null,
    item_id bigint references rushes.items on delete set null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    updated_at timestamptz not null default now(),
    finished_at timestamptz
) with (
    -- Progress is written every second or so: clean up after 1 % rather than 20 %.
    autovacuum_vacuum_scale_factor = 0.01
);
create unique index requests_malformed on rushes.requests (subscription, message_id) where request_id is null;
create index requests_correlation on rushes.requests (correlation_id, id) where correlation_id is not null;
create index requests_status on rushes.requests (status, id);
create index requests_batch on rushes.requests (batch_id) where batch_id is not null;
create index requests_item on rushes.requests (item_id) where item_id is not null;
