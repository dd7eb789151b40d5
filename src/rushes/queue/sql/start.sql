-- The items of jobs just taken begin, and so do their batches.
select rushes.begin_items($1::bigint[])
