-- An attempt at a run is over. Whoever waited for a run that is no longer the job's, such as a process that was frozen
-- meanwhile, changes nothing.
update rushes.jobs set github_attempts_over = greatest(github_attempts_over, $3)
where id = $1 and github_workflow_run_id = $2
