-- Which run of a workflow works at a job, and how many attempts at that run are over.
update rushes.jobs set github_workflow_run_id = $2, github_attempts_over = $3 where id = $1
