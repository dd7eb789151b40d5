-- Requests, newest first; null: any. One that was made into an item stands as its item does. What is null falls away when the
-- statement is planned, and what remains finds its index: requests_request_id_key, requests_correlation, requests_status with
-- requests_item, else the primary key backwards.
select
    r.id, r.request_id, r.correlation_id, r.message_id, r.subscription, r.pipeline, r.about, s.status, r.stage,
    r.percentage, r.attempts, coalesce(i.error_class, r.error_class) as error_class,
    coalesce(i.error, r.error) as error, coalesce(i.remedy, r.remedy) as remedy, r.batch_id, r.item_id,
    r.created_at, r.started_at, r.updated_at, coalesce(r.finished_at, i.finished_at) as finished_at, r.told_at,
    case when $5 then r.result end as result
from rushes.requests r
left join rushes.items i on i.id = r.item_id
cross join lateral (
    select case coalesce(i.status, r.status)
        when 'pending' then 'queued' when 'skipped' then 'completed' else coalesce(i.status, r.status)
    end as status
) s
where
    ($1::text is null or (s.status = $1 and (r.status = $1 or r.item_id is not null)))
    and ($2::text is null or r.correlation_id = $2)
    and ($3::bigint is null or r.id < $3)
    and ($4::uuid is null or r.request_id = $4)
    and ($6::text is null or r.message_id = $6)
order by r.id desc
limit $7
