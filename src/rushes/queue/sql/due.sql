-- What upkeep has to do, asked once a second by every worker: probes of indexes, and no write.
select
    coalesce(next.run_at <= now(), false) as promotions,
    exists (select from rushes.jobs where status = 'processing' and lease_until < now()) as expiries,
    -- Some job is to follow its lane, or waits in one, whose limits may be gone. And whether claims must heed limits.
    exists (
        select from rushes.lanes l
        where
            (l.limited or l.paused_until > now())
            and (
                select true from rushes.jobs j
                where j.status = 'queued' and not j.limited and j.lane = l.name
                order by j.priority desc, j.id limit 1
            )
    ) or exists (select from rushes.jobs where status = 'queued' and limited) as lanes,
    exists (select from rushes.limits) or exists (select from rushes.lanes where limited) as limits,
    extract(epoch from next.run_at - now())::double precision as next_promotion
from (select min(run_at) as run_at from rushes.jobs where status = 'retrying' and not held) next
