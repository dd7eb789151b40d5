-- What is not given stays as it was.
insert into rushes.lanes (name, rate, concurrency) values ($1, $2, $3)
on conflict (name) do update set
    rate = coalesce(excluded.rate, rushes.lanes.rate),
    concurrency = coalesce(excluded.concurrency, rushes.lanes.concurrency)
