-- Jobs that a run of a workflow was started for. Relies on jobs_workflow.
select id from rushes.jobs where github_workflow_run_id = $1 order by id
