-- One of everything that the first schema could hold, as its programs wrote it.
insert into rushes.workers (host, boot, pid, process_started, stopped_at)
values ('here', 'machine/boot/room', 1, 0, null), ('here', 'machine/boot/room', 2, 0, now());

insert into rushes.videos (key, location, title, duration)
select 'url:' || n, 'https://example.org/' || n, 'Größe ' || n, interval '90 seconds' from generate_series(1, 6) n;
insert into rushes.video_aliases values ('youtube:abc', 'url:1');

insert into rushes.batches (name, owner, run_key, pipeline, plan, trust, status, total, completed, failed, last_event)
values
    (
        'talks', 'ada', 'run', 'alpha+beta',
        '{"pipeline": "alpha+beta", "steps": [
            {"stage": "alpha", "options": {}, "fetches": true, "timeout": null,
             "retries": {"max_attempts": 3, "base": 1, "cap": 600, "jitter": 0}},
            {"stage": "beta", "options": {"words": 5}, "fetches": false, "timeout": 60,
             "retries": {"max_attempts": 2, "base": 1, "cap": 600, "jitter": 0.5}}]}',
        'local', 'processing', 4, 1, 1, 3
    ),
    ('paused', null, null, 'alpha', '{"pipeline": "alpha", "steps": [
        {"stage": "alpha", "options": {}, "fetches": true, "timeout": null,
         "retries": {"max_attempts": 3, "base": 1, "cap": 600, "jitter": 0}}]}',
        'untrusted', 'paused', 2, 0, 0, 1);
update rushes.batches set pause_reason = 'no key', pause_remedy = 'set it', invalid = 1, duplicates = 1 where id = 2;

insert into rushes.items (batch_id, position, given, origin, video_key, status, error_class, error)
values
    (1, 1, 'one', 'list.txt:1', 'url:1', 'completed', null, null),
    (1, 2, 'two', 'list.txt:2', 'url:2', 'failed', 'permanent', 'gone'),
    (1, 3, 'three', 'list.txt:3', 'url:3', 'processing', null, null),
    (1, 4, 'four', 'list.txt:4', 'url:4', 'pending', null, null),
    (2, 1, 'five', '', 'url:5', 'pending', null, null),
    (2, 2, 'six', '', 'url:6', 'pending', null, null);
insert into rushes.lines values (2, 1, 'list.txt:3', 'five', 'duplicate', 'the same video'), (2, 2, '', 'x', 'invalid', 'no');

insert into rushes.jobs (
    kind, status, priority, held, attempts, batch_id, item_id, step, video_id, payload, lane, token, worker_id, lease_until,
    run_at, error_class, error, result, fingerprint, started_at, finished_at
)
values
    -- The first batch: done through both stages, failed, running under a lease, waiting; and two of the paused one.
    ('alpha', 'completed', 0, false, 1, 1, 1, 0, 'url:1', '{}', 'example.org', 1, null, null, null, null, null,
     '{"notes": [], "engine": null}', 'made-1', now() - interval '2 hours', now() - interval '119 minutes'),
    ('beta', 'completed', 0, false, 1, 1, 1, 1, 'url:1', '{}', null, 1, null, null, null, null, null,
     '{"notes": []}', 'made-2', now() - interval '118 minutes', now() - interval '117 minutes'),
    ('alpha', 'failed', 0, false, 3, 1, 2, 0, 'url:2', '{}', 'example.org', 3, null, null, null, 'permanent', 'gone',
     null, null, now() - interval '1 hour', now() - interval '1 hour'),
    ('alpha', 'processing', 0, false, 1, 1, 3, 0, 'url:3', '{}', 'example.org', 1, 1, now() + interval '1 hour', null, null,
     null, null, null, now(), null),
    ('alpha', 'queued', 0, false, 0, 1, 4, 0, 'url:4', '{}', 'example.org', 0, null, null, null, null, null, null, null, null,
     null),
    ('alpha', 'queued', 0, true, 0, 2, 5, 0, 'url:5', '{}', 'example.org', 0, null, null, null, null, null, null, null, null,
     null),
    ('alpha', 'retrying', 0, true, 1, 2, 6, 0, 'url:6', '{}', 'example.org', 1, null, null, now() + interval '1 hour',
     'transient', 'slow', null, null, now() - interval '5 minutes', null),
    -- Jobs of nobody's batch: waiting with a priority, due, given up on, cancelled before they began.
    ('alpha', 'queued', 7, false, 0, null, null, null, 'mine', '{"n": [1, 2]}', null, 0, null, null, null, null, null, null,
     null, null, null),
    ('alpha', 'retrying', 0, false, 1, null, null, null, null, '{}', null, 1, null, null, now() - interval '1 minute',
     'rate_limited', 'rest', null, null, now() - interval '5 minutes', null),
    ('beta', 'failed', 10, false, 3, null, null, null, null, '{}', null, 3, null, null, null, 'bug', 'oh', null, null,
     now() - interval '3 days', now() - interval '3 days'),
    ('beta', 'cancelled', 0, false, 0, null, null, null, null, '{}', null, 1, null, null, null, null, null, null, null, null,
     now() - interval '1 day');

insert into rushes.lanes values ('example.net', now() + interval '1 hour', 'it asked for rest');
insert into rushes.pauses (kind) values ('gamma');
insert into rushes.artifacts (fingerprint, job_id, kind, name, size, sha256, media_type, metadata)
values ('made-1', 1, 'alpha', '1/alpha.txt', 5, 'abc', 'text/plain', '{"a": 1}');
insert into rushes.events (batch_id, number, kind, item_id, data)
values (1, 1, 'stage_completed', 1, '{"stage": "alpha"}'), (1, 2, 'item_completed', 1, '{}'), (1, 3, 'item_failed', 2, '{}'),
    (2, 1, 'batch_paused', null, '{"reason": "no key"}');
insert into rushes.passages (video_key, stage, position, start, text) values ('url:1', 'beta', 0, 1.5, 'words said aloud');
