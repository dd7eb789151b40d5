-- How far a chore has come, if it is due and nobody is at it. It is the taker's until the transaction ends.
select position from rushes.chores where name = $1 and due_at <= now() for update skip locked
