-- Batches that have ended and of which everything is older than it may be: its own status, and those of its items.
select b.id, b.name, b.status, b.finished_at, b.total
from rushes.batches b
cross join lateral (
    select max(keep.age) as longest, array_agg(keep.status) as named
    from unnest($1::text[], $2::interval[]) as keep (status, age)
    where
        keep.status = b.status
        or (keep.status = 'completed' and b.completed + b.skipped > 0)
        or (keep.status = 'failed' and b.failed > 0)
        or (keep.status = 'cancelled' and b.cancelled > 0)
) rule
where
    b.status in ('completed', 'failed', 'cancelled')
    and b.finished_at < now() - rule.longest
    and b.status = any(rule.named)
    and (b.completed + b.skipped = 0 or 'completed' = any(rule.named))
    and (b.failed = 0 or 'failed' = any(rule.named))
    and (b.cancelled = 0 or 'cancelled' = any(rule.named))
order by b.id
limit $3
