"""The layouts: tables, and the statements of a claim and of a settlement.

All keep the same promises. A claim gives the oldest of the highest priority with its payload, to one worker, under a lease
with a token that only grows. A settlement counts only under that lease, and stores a result. What has ended stays readable
with all its columns. They differ in which rows are written for it.
"""

# ruff: noqa: S608  (statements put together from constants of this file)

from __future__ import annotations

from dataclasses import dataclass

STORAGE = "with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)"
PACKED = "with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)"


@dataclass(frozen=True, slots=True)
class Layout:
    name: str
    tables: str
    """Made beside Rushes' own schema, which every layout starts from."""
    copied: str
    """The table that COPY fills with (kind, payload)."""
    after_copy: str
    """What makes copied rows claimable, if they are not."""
    claim: str
    """$1: how many. Gives id, payload and token."""
    settle: str
    """$1 ids, $2 tokens, $3 results."""
    left: str
    """Whether anything is not settled yet."""
    history: str
    """Adds $1 jobs that have ended."""


OUTCOME = "unnest($1::bigint[], $2::integer[], $3::jsonb[]) as o (id, token, result)"
ENDED = "'completed', 1, 1, '{\"ok\": true}'::jsonb, now(), now()"
ENDED_COLUMNS = "status, attempts, token, result, started_at, finished_at"

# A settlement does not ask for the status: only a running job has a worker, and with the status asked for, the planner takes
# the index of all running jobs, of which it expects none, and goes through it once for each outcome.
ONE_TABLE = Layout(
    name="one table, partial indexes",
    tables="",
    copied="jobs",
    after_copy="",
    claim="""
        with picked as (
            select id from rushes.jobs
            where kind = 'noop' and status = 'queued' and not held and not limited
            order by priority desc, id limit $1 for update skip locked
        )
        update rushes.jobs j set status = 'processing', attempts = attempts + 1, token = token + 1, worker_id = 1,
            started_at = now(), lease_until = now() + interval '60 s'
        from picked where j.id = picked.id returning j.id, j.payload, j.token
    """,
    settle=f"""
        update rushes.jobs j set status = 'completed', finished_at = now(), result = o.result, worker_id = null,
            lease_until = null
        from {OUTCOME}
        where j.id = o.id and j.token = o.token and j.worker_id = 1
    """,
    left="select exists (select from rushes.jobs where status in ('queued', 'processing'))",
    history=f"""
        insert into rushes.jobs (kind, payload, {ENDED_COLUMNS})
        select 'noop', '{{"sent": 0}}'::jsonb, {ENDED} from generate_series(1, $1::integer)
    """,
)

HOT_BESIDE_RECORD = Layout(
    name="narrow hot table beside the record",
    tables=f"""
        create table rushes.hot (
            id bigint primary key, kind text not null, priority smallint not null, held boolean not null default false,
            limited boolean not null default false, token integer not null default 0, attempts smallint not null default 0,
            worker_id bigint, started_at timestamptz, lease_until timestamptz
        ) {PACKED};
        create index on rushes.hot (kind, priority desc, id) where worker_id is null and not held and not limited;
        create index on rushes.hot (lease_until) where worker_id is not null;
        create table rushes.records (like rushes.jobs including defaults including identity) {STORAGE};
        alter table rushes.records add primary key (id);
    """,
    copied="records",
    after_copy="""
        insert into rushes.hot (id, kind, priority) select id, kind, priority from rushes.records where status = 'queued'
    """,
    claim="""
        with picked as (
            select id from rushes.hot
            where kind = 'noop' and worker_id is null and not held and not limited
            order by priority desc, id limit $1 for update skip locked
        ), taken as (
            update rushes.hot h set token = token + 1, attempts = attempts + 1, worker_id = 1, started_at = now(),
                lease_until = now() + interval '60 s'
            from picked where h.id = picked.id returning h.id, h.token
        )
        select taken.id, r.payload, taken.token from taken join rushes.records r using (id)
    """,
    settle=f"""
        with o as (select * from {OUTCOME}), ended as (
            delete from rushes.hot h using o
            where h.id = o.id and h.token = o.token and h.worker_id = 1
            returning h.id, h.token, h.attempts, h.started_at, o.result
        )
        update rushes.records r set status = 'completed', finished_at = now(), result = e.result, token = e.token,
            attempts = e.attempts, started_at = e.started_at
        from ended e where r.id = e.id
    """,
    left="select exists (select from rushes.hot)",
    history=f"""
        insert into rushes.records (kind, payload, {ENDED_COLUMNS})
        select 'noop', '{{"sent": 0}}'::jsonb, {ENDED} from generate_series(1, $1::integer)
    """,
)

MOVED_TO_HISTORY = Layout(
    name="moved into a history table when it ends",
    tables=f"""
        create table rushes.ended (like rushes.jobs including defaults) {STORAGE};
        alter table rushes.ended add primary key (id);
    """,
    copied="jobs",
    after_copy="",
    claim=ONE_TABLE.claim,
    settle=f"""
        with o as (select * from {OUTCOME}), gone as (
            delete from rushes.jobs j using o
            where j.id = o.id and j.token = o.token and j.worker_id = 1
            returning j.*, o.result as made
        )
        insert into rushes.ended (
            id, kind, status, priority, held, attempts, max_attempts, crashes, backoff_base, backoff_cap, backoff_jitter,
            timeout, batch_id, item_id, step, video_id, payload, lane, host, token, run_at, deferred_at, result, created_at,
            started_at, finished_at
        )
        select
            id, kind, 'completed', priority, held, attempts, max_attempts, crashes, backoff_base, backoff_cap,
            backoff_jitter, timeout, batch_id, item_id, step, video_id, payload, lane, host, token, run_at, deferred_at,
            made, created_at, started_at, now()
        from gone
    """,
    left=ONE_TABLE.left,
    history=f"""
        insert into rushes.ended (id, kind, payload, {ENDED_COLUMNS})
        select n, 'noop', '{{"sent": 0}}'::jsonb, {ENDED} from generate_series(-$1::integer, -1) as n
    """,
)

READY_AND_LEASED = Layout(
    name="tables of ready and leased beside the record",
    tables=f"""
        create table rushes.ready (
            id bigint primary key, kind text not null, priority smallint not null, token integer not null default 0,
            attempts smallint not null default 0
        ) {STORAGE};
        create index on rushes.ready (kind, priority desc, id);
        create table rushes.leased (
            id bigint primary key, kind text not null, priority smallint not null, token integer not null,
            attempts smallint not null, worker_id bigint not null, started_at timestamptz not null,
            lease_until timestamptz not null
        ) {STORAGE};
        create index on rushes.leased (lease_until);
        create table rushes.records (like rushes.jobs including defaults including identity) {STORAGE};
        alter table rushes.records add primary key (id);
    """,
    copied="records",
    after_copy="""
        insert into rushes.ready (id, kind, priority)
        select id, kind, priority from rushes.records where status = 'queued'
    """,
    claim="""
        with picked as (
            select id from rushes.ready where kind = 'noop'
            order by priority desc, id limit $1 for update skip locked
        ), gone as (
            delete from rushes.ready r using picked where r.id = picked.id returning r.*
        ), taken as (
            insert into rushes.leased
            select id, kind, priority, token + 1, attempts + 1, 1, now(), now() + interval '60 s' from gone
            returning id, token
        )
        select taken.id, r.payload, taken.token from taken join rushes.records r using (id)
    """,
    settle=f"""
        with o as (select * from {OUTCOME}), ended as (
            delete from rushes.leased l using o
            where l.id = o.id and l.token = o.token and l.worker_id = 1
            returning l.id, l.token, l.attempts, l.started_at, o.result
        )
        update rushes.records r set status = 'completed', finished_at = now(), result = e.result, token = e.token,
            attempts = e.attempts, started_at = e.started_at
        from ended e where r.id = e.id
    """,
    left="select exists (select from rushes.ready) or exists (select from rushes.leased)",
    history=HOT_BESIDE_RECORD.history,
)

LAYOUTS = (ONE_TABLE, HOT_BESIDE_RECORD, MOVED_TO_HISTORY, READY_AND_LEASED)
