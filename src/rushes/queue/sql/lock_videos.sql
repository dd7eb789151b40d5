-- The videos of items, in the order of keys: items of several batches may point at the same ones.
select key from rushes.videos
where key in (select video_key from rushes.items where id = any($1::bigint[]))
order by key for no key update
