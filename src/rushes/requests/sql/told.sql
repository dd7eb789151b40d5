-- Results of these requests are published. Relies on requests_request_id_key.
update rushes.requests set told_at = now() where request_id = any($1::uuid[]) and told_at is null
