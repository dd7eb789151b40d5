-- End items, each once. Returns those that ended now. A line that stood for many videos leaves its place to them.
update rushes.items i set
    status = e.status, skip_reason = e.skip_reason, error_class = e.error_class, error = e.error, remedy = e.remedy,
    position = case when e.skip_reason = 'expanded' then -i.position else i.position end, finished_at = now()
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    as e (id, status, skip_reason, error_class, error, remedy)
where i.id = e.id and i.status in ('pending', 'processing')
returning i.id
