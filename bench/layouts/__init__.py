"""Where a job's hot data could lie: one table, a narrow one beside it, or two. The bare driver, at equal semantics."""
