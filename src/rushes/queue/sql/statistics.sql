-- The keys of the queue service that others know, by one formula. Times are seconds.
select
    count(*) as total_jobs,
    count(*) filter (where status = 'queued') as queued,
    count(*) filter (where status = 'processing') as processing,
    count(*) filter (where status = 'retrying') as retrying,
    count(*) filter (where status = 'completed') as completed,
    count(*) filter (where status = 'failed') as failed,
    count(*) filter (where status = 'cancelled') as cancelled,
    round(
        100.0 * count(*) filter (where status = 'completed')
            / nullif(count(*) filter (where status in ('completed', 'failed')), 0),
        2
    )::double precision as success_rate,
    round(extract(epoch from avg(finished_at - started_at) filter (where status = 'completed')), 3)::double precision
        as average_processing_time,
    round(extract(epoch from avg(started_at - created_at) filter (where started_at is not null)), 3)::double precision
        as average_wait_time,
    count(*) filter (where status = 'queued') as queue_length
from rushes.jobs
where $1::text is null or kind = $1
