update rushes.chores set position = $2, due_at = now() + $3::interval where name = $1
