insert into rushes.video_aliases (alias, key)
select a.alias, i.video_key from rushes.items i cross join unnest($2::text[]) as a (alias)
where i.id = $1 and a.alias <> i.video_key
on conflict (alias) do nothing
