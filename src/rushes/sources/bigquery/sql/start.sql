-- Write down which attempts begin, before they do. An INSERT and no load job: a table takes any number of them in a day.
insert into $staged (id, claim, attempt, kind, batch, staged_at)
select
    json_value(r, '$$.id'), json_value(r, '$$.claim'), cast(json_value(r, '$$.attempt') as int64), 'start', @batch,
    current_timestamp()
from unnest(@rows) as r
