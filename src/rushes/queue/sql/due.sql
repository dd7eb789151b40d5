-- What upkeep has to do, asked once a second by every worker: probes of indexes, and no write.
select
    coalesce(next.run_at <= now(), false) as promotions,
    exists (select from rushes.jobs where status = 'processing' and lease_until < now()) as expiries,
    exists (select from rushes.lanes where limited or paused_until > now())
        or exists (select from rushes.jobs where status = 'queued' and limited) as lanes,
    extract(epoch from next.run_at - now())::double precision as next_promotion
from (select min(run_at) as run_at from rushes.jobs where status = 'retrying' and not held) next
