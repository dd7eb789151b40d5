"""The limit: what a worker has to do to the rows and nothing else, by the bare driver.

COPY in; claims of 500 on one connection, without waiting for their commits to reach the disk (losing a claim only repeats
work); settlement on a second, fenced by the lease, with a stored result, durable. Two layouts: Rushes' own table with its
indexes, and a narrower one with one partial index.
"""

from __future__ import annotations

import asyncio
import os

import _tally
import asyncpg
from _driver import DSN, Peer, main

BATCH = 500
AHEAD = 2
"""Claimed batches that may wait for the settling connection."""
SYNCHRONOUS_CLAIM = os.environ.get("BENCH_SYNCHRONOUS_CLAIM", "off")
BY_KEY = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
"""Rows are found one by one by their key. Left alone, the planner goes through a small table once for each batch."""

NARROW = """
create table jobs (
    id bigint generated always as identity primary key, kind text not null, status smallint not null default 0,
    priority smallint not null default 0, attempts smallint not null default 0, token integer not null default 0,
    run_at timestamptz not null default now(), payload jsonb not null default '{}', result jsonb, error text,
    worker_id bigint, lease_until timestamptz, started_at timestamptz, finished_at timestamptz, batch_id bigint
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
create index jobs_ready on jobs (priority desc, id) where status = 0;
"""
CLAIM_NARROW = """
with picked as (
    select id from jobs where status = 0 and run_at <= now() order by priority desc, id limit $1 for update skip locked
)
update jobs set status = 1, attempts = attempts + 1, token = token + 1, worker_id = 1, started_at = now(),
    lease_until = now() + interval '60 s'
from picked where jobs.id = picked.id returning jobs.id, jobs.kind, jobs.payload, jobs.token
"""
SETTLE_NARROW = """
update jobs set status = 2, finished_at = now(), result = o.result, lease_until = null
from unnest($1::bigint[], $2::integer[], $3::jsonb[]) as o (id, token, result)
where jobs.id = o.id and jobs.token = o.token and jobs.worker_id = 1 and jobs.status = 1
"""
CLAIM_OURS = """
with picked as (
    select id from rushes.jobs j
    where j.kind = 'noop' and j.status = 'queued' and not j.held and not j.limited
    order by j.priority desc, j.id limit $1 for update skip locked
)
update rushes.jobs j set status = 'processing', attempts = attempts + 1, token = token + 1, worker_id = 1,
    started_at = now(), lease_until = now() + interval '60 s'
from picked where j.id = picked.id returning j.id, j.kind, j.payload, j.token
"""
SETTLE_OURS = """
update rushes.jobs j set status = 'completed', finished_at = now(), result = o.result, lease_until = null, worker_id = null
from unnest($1::bigint[], $2::integer[], $3::jsonb[]) as o (id, token, result)
where j.id = o.id and j.token = o.token and j.worker_id = 1
"""


class Limit(Peer):
    chunk = 100_000

    def __init__(self, *, narrow: bool) -> None:
        self.table, self.schema = ("jobs", "public") if narrow else ("jobs", "rushes")
        self.claim, self.settle = (CLAIM_NARROW, SETTLE_NARROW) if narrow else (CLAIM_OURS, SETTLE_OURS)
        self.narrow = narrow

    async def open(self) -> None:
        self.connection = await asyncpg.connect(DSN)

    async def setup(self) -> None:
        """Rushes' own table is there already: the runner has set it up with Rushes' driver."""
        if self.narrow:
            await self.connection.execute(NARROW)

    async def add(self, count: int) -> None:
        await self.connection.copy_records_to_table(
            self.table, schema_name=self.schema, columns=["kind", "payload"], records=[("noop", '{"sent": 0}')] * count
        )

    async def send(self, sent: float) -> None:
        await self.connection.execute(
            f"insert into {self.schema}.{self.table} (kind, payload) values ('noop', $1)",  # noqa: S608  (our names)
            f'{{"sent": {sent}}}',
        )

    async def settled(self) -> bool:
        live = "status < 2" if self.narrow else "status in ('queued', 'processing')"
        return not await self.connection.fetchval(
            f"select exists (select from {self.schema}.{self.table} where {live})"  # noqa: S608  (our names)
        )

    async def work(self) -> None:
        claiming, settling = await asyncpg.connect(DSN), await asyncpg.connect(DSN)
        await claiming.execute(f"set synchronous_commit = {SYNCHRONOUS_CLAIM}")
        for connection in (claiming, settling):
            await connection.execute(BY_KEY)
        claimed: asyncio.Queue[list[asyncpg.Record]] = asyncio.Queue(AHEAD)
        await asyncio.gather(self._claim(claiming, claimed), self._settle(settling, claimed))

    async def _claim(self, connection: asyncpg.Connection, claimed: asyncio.Queue[list[asyncpg.Record]]) -> None:
        while True:
            rows = await connection.fetch(self.claim, BATCH)
            if rows:
                await claimed.put(rows)
            else:
                await asyncio.sleep(0.005)

    async def _settle(self, connection: asyncpg.Connection, claimed: asyncio.Queue[list[asyncpg.Record]]) -> None:
        while True:
            rows = await claimed.get()
            for _ in rows:
                _tally.started()
            ids, tokens = [row["id"] for row in rows], [row["token"] for row in rows]
            await connection.execute(self.settle, ids, tokens, ['{"ok": true}'] * len(rows))


main(Limit(narrow=os.environ.get("BENCH_LAYOUT") == "narrow"), fast=True)
