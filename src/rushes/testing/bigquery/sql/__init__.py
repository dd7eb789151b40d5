"""BigQuery's SQL as DuckDB's: read, named, typed, and written anew.

    text ── parsing ──▶ tree ── naming ──▶ with our tables ── parameters ──▶ ── typing ──▶ every type known
         ── checking ──▶ refused as the service would ── writing ──▶ a statement of DuckDB's

What is not on the list of `allowed` is refused: a statement either means what it means in BigQuery, or it does not run.
"""
