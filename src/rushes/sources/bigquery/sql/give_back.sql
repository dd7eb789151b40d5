-- One task's items that it has not begun, back to everybody. What has anything staged goes the way of the results.
update $source
set $status = 'PENDING', owner = null, claim = null
where
    owner = @execution and $status = 'PROCESSING'
    and mod(mod(farm_fingerprint(cast($id as string)), @tasks) + @tasks, @tasks) = @task
    and cast($id as string) not in unnest(@held)
    and concat(cast($id as string), '/', claim) not in (select concat(id, '/', claim) from $staged)
