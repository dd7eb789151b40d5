insert into rushes.artifacts (fingerprint, job_id, kind, name, size, sha256, media_type, metadata)
select * from unnest(
    $1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::jsonb[]
)
