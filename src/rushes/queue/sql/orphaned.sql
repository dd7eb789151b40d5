-- Leases of processes of this host that are known to be dead.
select id, token, worker_id, attempts, crashes, started_at, lease_until from rushes.jobs
where status = 'processing' and worker_id = any($1::bigint[])
order by id for update skip locked
