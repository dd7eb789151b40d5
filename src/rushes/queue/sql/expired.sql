-- Leases that nobody prolonged. Relies on jobs_leased (lease_until).
select id, token, worker_id, attempts, crashes, started_at, lease_until from rushes.jobs
where status = 'processing' and lease_until < now()
order by id limit $1 for update skip locked
