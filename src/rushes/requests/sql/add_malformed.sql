-- Record messages that name no request, each once. Relies on requests_malformed.
insert into rushes.requests (
    subscription, message_id, correlation_id, status, attempts, error_class, error, remedy, finished_at
)
select $6, m.message_id, m.correlation_id, 'failed', 1, m.error_class, m.error, m.remedy, now()
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    as m (message_id, correlation_id, error_class, error, remedy)
on conflict (subscription, message_id) where request_id is null do nothing
