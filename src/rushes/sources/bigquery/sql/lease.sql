-- Prolong an execution's lease, or begin it. Those that ran out long ago are forgotten.
merge $executions as e
using (
    select @execution as execution, timestamp_add(current_timestamp(), interval @seconds second) as lease_until
) as l
on e.execution = l.execution
when matched then update set lease_until = l.lease_until
when not matched then insert (execution, lease_until) values (l.execution, l.lease_until)
when not matched by source and e.lease_until < timestamp_sub(current_timestamp(), interval 7 day) then delete
