-- One job, as text that any driver can read.
select row_to_json(j)::text from rushes.jobs j where j.id = cast($1 as text)::bigint
