"""The statements of a queue of rows: claim, read, write, finish."""

from __future__ import annotations

from google.cloud.bigquery import Client, ScalarQueryParameter, SchemaField, Table


def make_source(client: Client) -> None:
    columns = [("id", "STRING"), ("url", "STRING"), ("status", "STRING"), ("owner", "STRING"), ("attempt", "INTEGER")]
    client.create_table(Table("shop.d.source", [SchemaField(name, kind) for name, kind in columns]))
    records = [{"id": f"{n}", "url": f"https://example.org/{n}", "status": "PENDING"} for n in range(100)]
    job = client.load_table_from_json(records, "shop.d.source")
    job.result()
    assert job.output_rows == 100


def test_a_claim_takes_rows_and_shards_share_them(client, run, rows):
    make_source(client)
    claim = run(
        "UPDATE `shop.d.source` SET status = 'PROCESSING', owner = @owner, attempt = IFNULL(attempt, 0) + 1"
        " WHERE status = 'PENDING'",
        ScalarQueryParameter("owner", "STRING", "run-1"),
    )
    assert claim.num_dml_affected_rows == 100
    shards = [
        rows(
            "SELECT id FROM d.source WHERE owner = @owner AND MOD(ABS(FARM_FINGERPRINT(id)), @count) = @index",
            ScalarQueryParameter("owner", "STRING", "run-1"),
            ScalarQueryParameter("count", "INT64", 3),
            ScalarQueryParameter("index", "INT64", index),
        )
        for index in range(3)
    ]
    assert sorted(int(id_) for shard in shards for (id_,) in shard) == list(range(100))
    assert all(shards)
