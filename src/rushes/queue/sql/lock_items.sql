-- Locks in the order of ids, before statements that update them in whatever order their plans take.
select id from rushes.items where id = any($1::bigint[]) order by id for no key update
