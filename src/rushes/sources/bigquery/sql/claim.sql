-- Take what is pending, and what was left by executions whose lease has run out: one task's items, or (@task is null) all.
-- What executions hold whose results cannot be merged is left alone.
-- An item that somebody set to pending again after its last attempt starts anew, but not one that killed its worker.
update $source
set
    $status = 'PROCESSING',
    owner = @execution,
    claim = @claim,
    attempt = if(
        $status = 'PENDING' and ifnull(attempt, 0) >= @attempts and ifnull(error, '') <> @died, 0, ifnull(attempt, 0)
    )
where
    $id is not null
    and (
        $status = 'PENDING'
        or (
            $status = 'PROCESSING' and owner <> @execution and owner not in unnest(@left_alone)
            and owner not in (select execution from $executions where lease_until > current_timestamp())
        )
    )
    and (@task is null or mod(mod(farm_fingerprint(cast($id as string)), @tasks) + @tasks, @tasks) = @task)
    and $where
