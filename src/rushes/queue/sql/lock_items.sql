-- Locks in the order of ids, before statements that update them in whatever order their plans take. Tells which go on: of a
-- batch that is being cancelled, a job may live that the cancellation has missed so far.
select id, status in ('pending', 'processing') as live
from rushes.items where id = any($1::bigint[]) order by id for no key update
