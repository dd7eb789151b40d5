insert into rushes.batches (name, run_key, pipeline, plan, trust, reuse, priority) values ($1, $2, $3, $4, $5, $6, $7)
returning id
