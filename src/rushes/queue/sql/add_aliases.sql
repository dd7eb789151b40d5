-- In the order of aliases: two settlements that learn the same ones wait for each other in no circle.
insert into rushes.video_aliases (alias, key)
select distinct on (n.alias) n.alias, i.video_key
from unnest($1::bigint[], $2::text[]) as n (item_id, alias)
join rushes.items i on i.id = n.item_id
where n.alias <> i.video_key
order by n.alias, i.id
on conflict (alias) do nothing
