insert into rushes.events (batch_id, number, kind, item_id, data)
select $1, $2 + e.position, e.kind, e.item_id, e.data
from unnest($3::text[], $4::bigint[], $5::jsonb[]) with ordinality as e (kind, item_id, data, position)
