"""Load jobs: how they come, what they take, and what they say of what they do not take."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import LoadJobConfig, SchemaField

SCHEMA = [SchemaField("id", "STRING", "REQUIRED"), SchemaField("n", "INTEGER")]
NDJSON = bigquery.SourceFormat.NEWLINE_DELIMITED_JSON


@pytest.fixture
def table(client) -> str:
    client.create_table(bigquery.Table("shop.d.t", SCHEMA))
    return "shop.d.t"


def content(rows) -> Any:
    return rows("SELECT id, n FROM d.t ORDER BY id")


def test_records_are_appended(client, rows, table):
    job = client.load_table_from_json([{"id": "a", "n": 1}, {"id": "b"}], table)
    job.result()
    assert (job.state, job.output_rows, job.input_files) == ("DONE", 2, 1)
    client.load_table_from_json([{"id": "c", "n": None}], table).result()
    assert content(rows) == [("a", 1), ("b", None), ("c", None)]


def test_a_file_of_any_size_comes_in_pieces(server, client, rows, table):
    lines = "".join(json.dumps({"id": f"{n:06}", "n": n}) + "\n" for n in range(20_000))
    job = client.load_table_from_file(io.BytesIO(lines.encode()), table, job_config=LoadJobConfig(source_format=NDJSON))
    assert job.result().output_rows == 20_000
    assert rows("SELECT COUNT(*), SUM(n), MAX(id) FROM d.t") == [(20_000, sum(range(20_000)), "019999")]
    assert [request.method for request in server.requests if request.path.startswith("/upload")] == ["POST", "PUT"]


def test_a_piece_whose_answer_was_lost_comes_again(server, client, rows, table):
    server.cut("^PUT /upload", after=True)
    data = io.BytesIO(b'{"id": "a"}\n')
    job = client.load_table_from_file(
        data, table, job_config=LoadJobConfig(source_format=NDJSON), job_id="once", num_retries=3
    )
    job.result()
    assert content(rows) == [("a", None)]


def test_every_type_is_read(client, rows):
    schema = [
        SchemaField("s", "STRING"), SchemaField("i", "INTEGER"), SchemaField("f", "FLOAT"), SchemaField("b", "BOOLEAN"),
        SchemaField("by", "BYTES"), SchemaField("n", "NUMERIC"), SchemaField("ts", "TIMESTAMP"),
        SchemaField("dt", "DATETIME"), SchemaField("d", "DATE"), SchemaField("t", "TIME"), SchemaField("j", "JSON"),
        SchemaField("l", "INTEGER", "REPEATED"),
        SchemaField("r", "RECORD", fields=[SchemaField("by", "BYTES"), SchemaField("ts", "TIMESTAMP", "REPEATED")]),
    ]  # fmt: skip
    record = {
        "s": "ä\n", "i": "12", "f": "NaN", "b": "true", "by": "AP8=", "n": "1.50", "ts": "2024-02-03 12:00:00 UTC",
        "dt": "2024-02-03T12:00:00.5", "d": "2024-02-03", "t": "12:00:00", "j": {"b": 1, "a": [None]}, "l": [1, 2],
        "r": {"by": "YQ==", "ts": ["2024-02-03T12:00:00+01:00", 0]},
    }  # fmt: skip
    noon = dt.datetime(2024, 2, 3, 12, tzinfo=dt.UTC)
    client.load_table_from_json([record, {}], "shop.d.all", job_config=LoadJobConfig(schema=schema)).result()
    found, empty = (list(row) for row in rows("SELECT * FROM d.all ORDER BY s DESC"))
    assert str(found.pop(2)) == "nan"
    assert found == [
        "ä\n", 12, True, b"\x00\xff", Decimal("1.5"), noon, noon.replace(microsecond=500000, tzinfo=None), noon.date(),
        noon.time(), {"a": [None], "b": 1}, [1, 2],
        {"by": b"a", "ts": [noon - dt.timedelta(hours=1), dt.datetime.fromtimestamp(0, dt.UTC)]},
    ]  # fmt: skip
    assert empty == [None] * 11 + [[], None]


BAD = [
    ({"id": "a", "nope": 1}, "No such field: nope.", "nope"),
    ({"n": 1}, "Missing required field: id.", "id"),
    ({"id": None}, "Only optional fields can be set to NULL. Field: id; Value: NULL", "id"),
    ({"id": "a", "n": "many"}, "Could not convert value to integer. Field: n; Value: many", "n"),
    ({"id": "a", "n": 1.5}, "Could not convert value to integer. Field: n; Value: 1.5", "n"),
    ({"id": "a", "n": [1]}, "Could not convert value to integer. Field: n; Value: [1]", "n"),
    ({"id": {"a": 1}}, "Could not convert value to string.", "id"),
    ({"id": "a", "n": 1 << 63}, "Could not convert value to integer.", "n"),
]


@pytest.mark.parametrize(("record", "message", "field"), BAD)
def test_a_bad_row_is_told_with_its_place_and_keeps_all_out(client, rows, table, record, message, field):
    good = {"id": "good", "n": 1}
    job = client.load_table_from_json([good, record], table)
    with pytest.raises(BadRequest, match=r"JSON table encountered too many errors, giving up. Rows: 2; errors: 1"):
        job.result()
    position = len(json.dumps(good)) + 1
    (error,) = job.errors[1:]
    assert error["location"] == field
    assert f"JSON parsing error in row starting at position {position}: {message}" in error["message"]
    assert content(rows) == []


def test_some_bad_rows_may_be_left_out(client, rows, table):
    config = LoadJobConfig(max_bad_records=1)
    job = client.load_table_from_json([{"id": "a"}, {"id": "b", "n": "x"}], table, job_config=config)
    assert job.result().output_rows == 1
    with pytest.raises(BadRequest, match="Rows: 2; errors: 2"):
        client.load_table_from_json([{"n": 1}, {"id": "b", "n": "x"}], table, job_config=config).result()
    client.load_table_from_json(
        [{"id": "z", "nope": 1}], table, job_config=LoadJobConfig(ignore_unknown_values=True)
    ).result()
    assert content(rows) == [("a", None), ("z", None)]


def test_lines_that_are_no_json_are_told(client, table):
    config = LoadJobConfig(source_format=NDJSON)
    with pytest.raises(BadRequest, match="errors: 1"):
        client.load_table_from_file(io.BytesIO(b'{"id": "a"}\n{"id":'), table, job_config=config).result()


def test_dispositions(client, rows, table):
    def load(id_: str, **options: Any) -> None:
        client.load_table_from_json([{"id": id_}], table, job_config=LoadJobConfig(schema=SCHEMA, **options)).result()

    load("a", write_disposition="WRITE_EMPTY")
    with pytest.raises(Conflict, match=r"Already Exists: Table shop:d.t"):
        load("b", write_disposition="WRITE_EMPTY")
    load("c", write_disposition="WRITE_APPEND")
    assert content(rows) == [("a", None), ("c", None)]
    load("d", write_disposition="WRITE_TRUNCATE")
    assert content(rows) == [("d", None)]
    client.delete_table(table)
    with pytest.raises(NotFound, match=r"Not found: Table shop:d.t"):
        load("e", create_disposition="CREATE_NEVER")
    load("f")
    assert content(rows) == [("f", None)]


def test_a_load_may_add_columns_if_it_says_so(client, rows, table):
    schema = [*SCHEMA, SchemaField("note", "STRING")]
    with pytest.raises(BadRequest, match=r"Cannot add fields \(field: note\)"):
        client.load_table_from_json([{"id": "a", "note": "x"}], table, job_config=LoadJobConfig(schema=schema)).result()
    config = LoadJobConfig(schema=schema, schema_update_options=["ALLOW_FIELD_ADDITION"])
    client.load_table_from_json([{"id": "a", "note": "x"}], table, job_config=config).result()
    assert rows("SELECT * FROM d.t") == [("a", None, "x")]
    config = LoadJobConfig(schema=[SchemaField("id", "STRING"), SchemaField("n", "STRING")])
    with pytest.raises(BadRequest, match="Field n has changed type from INTEGER to STRING"):
        client.load_table_from_json([{"id": "a"}], table, job_config=config).result()


def test_columns_of_a_new_table_are_detected(client):
    records = [
        {
            "id": "x1",
            "n": 1,
            "f": 1,
            "when": "2024-02-03T12:00:00Z",
            "day": "2024-02-03",
            "code": "007",
            "b": True,
            "in": {"l": ["a"]},
        },
        {"id": "x2", "n": 2, "f": 1.5, "extra": None},
    ]
    client.load_table_from_json(records, "shop.d.new").result()
    found = {field.name: field for field in client.get_table("d.new").schema}
    assert {name: field.field_type for name, field in found.items()} == {
        "id": "STRING", "n": "INTEGER", "f": "FLOAT", "when": "TIMESTAMP", "day": "DATE", "code": "INTEGER", "b": "BOOLEAN",
        "in": "RECORD", "extra": "STRING",
    }  # fmt: skip
    assert found["in"].fields[0] == SchemaField("l", "STRING", "REPEATED")


def test_the_layout_of_a_new_table_is_kept(client):
    config = LoadJobConfig(
        schema=[SchemaField("at", "TIMESTAMP"), SchemaField("id", "STRING")], clustering_fields=["id"],
        time_partitioning=bigquery.TimePartitioning(field="at"),
    )  # fmt: skip
    client.load_table_from_json([{"id": "a"}], "shop.d.new", job_config=config).result()
    table = client.get_table("d.new")
    assert (table.time_partitioning.field, table.clustering_fields) == ("at", ["id"])


def test_loads_that_are_not_done_are_refused(client, table):
    csv = LoadJobConfig(source_format="CSV")
    with pytest.raises(MethodNotImplemented, match="loading CSV"):
        client.load_table_from_file(io.BytesIO(b"a,1"), table, job_config=csv).result()
    with pytest.raises(MethodNotImplemented, match="loading from Cloud Storage"):
        client.load_table_from_uri("gs://bucket/file", table, job_config=LoadJobConfig(source_format=NDJSON)).result()
    config = LoadJobConfig(decimal_target_types=["NUMERIC"])
    with pytest.raises(MethodNotImplemented, match="decimalTargetTypes"):
        client.load_table_from_json([{"id": "a"}], table, job_config=config).result()
    with pytest.raises(MethodNotImplemented, match="jobs with copy"):
        client.copy_table(table, "shop.d.copy")
