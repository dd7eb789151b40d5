-- A workflow says that it is still at it. Only a lease of its own is prolonged.
update rushes.jobs set
    note = $4,
    lease_until = case when worker_id = $2 then now() + $3::interval else lease_until end
where id = $1
