"""Lists of every kind become items, in their order, with what they say beside the address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rushes.batches.intake import Invalid, Report, Valid, read_inputs
from rushes.errors import UsageError
from rushes.model import NewItem

from .conftest import Write, read, told

A, B, C = "https://a.example/1", "https://b.example/2", "https://c.example/3"


def items(*inputs: str, **options: Any) -> list[NewItem]:
    return [line.item for line in read(*inputs, **options) if isinstance(line, Valid)]


def test_seven_lines_with_two_invalid_and_one_duplicate(write: Write) -> None:
    write(
        "list.txt", f"{A}\n{B}\nftp://c.example/x\n{C}\n{A}?utm_source=mail\nhttps://\nhttps://youtu.be/dQw4w9WgXcQ\n"
    )
    report = Report()

    lines = list(report.counting(read_inputs(["list.txt"])))

    assert told(lines) == [
        f"1 {A}",
        f"2 {B}",
        "list.txt:3 is invalid",
        f"3 {C}",
        "list.txt:5 repeats list.txt:1",
        "list.txt:6 is invalid",
        "4 https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    ]
    assert (report.valid, report.duplicates, report.invalid, report.total) == (4, 1, 2, 7)
    assert [line.text for line in report.first_invalid] == ["ftp://c.example/x", "https://"]
    assert report.first_duplicates[0].text == f"{A}?utm_source=mail"


def test_text_lists_have_comments_blank_lines_and_any_line_ending(write: Write) -> None:
    write("list.txt", f"# talks\r\n\r\n  {A}  \r\n   # more\n\t\n{B}#t=3")

    found = items("list.txt")

    assert [(item.source.location, item.origin) for item in found] == [(A, "list.txt:3"), (f"{B}#t=3", "list.txt:6")]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.txt", f"{A}\n{B}\n"),
        ("l.csv", f"url\r\n{A}\r\n{B}\r\n"),
        ("l.tsv", f"url\tx\n{A}\t\n{B}\t\n"),
        ("l.json", json.dumps([A, {"url": B}])),
        ("l.jsonl", f'"{A}"\n{{"url": "{B}"}}'),
        ("L.NDJSON", f'"{A}"\n"{B}"'),
    ],
)
def test_every_kind_of_list_may_begin_with_a_byte_order_mark(write: Write, name: str, text: str, mark: bytes) -> None:
    write(name, mark + text.encode())

    assert [item.source.location for item in items(name)] == [A, B]


def test_a_table_gives_ids_titles_priorities_and_options(write: Write) -> None:
    write(
        "talks.csv",
        "ID, URL ,Title,priority,summarize.length,transcribe.source,note\n"
        f'7,{A},"One, with a comma",10,brief,,x\n'
        f"8,{B},,,,speech,\n"
        ",,,,,,\n"
        f'9,{C},"two\nlines",0,,,\n',
    )
    checked: list[object] = []

    found = items("talks.csv", check_options=checked.append)

    assert [(item.reference, item.title, item.priority) for item in found] == [
        ("7", "One, with a comma", 10),
        ("8", None, None),
        ("9", "two\nlines", 0),
    ]
    assert [dict(item.options) for item in found] == [
        {"summarize": {"length": "brief"}},
        {"transcribe": {"source": "speech"}},
        {},
    ]
    assert [item.origin for item in found] == ["talks.csv:2", "talks.csv:3", "talks.csv:5"]
    assert checked == [{"summarize": {"length": "brief"}}, {"transcribe": {"source": "speech"}}]


def test_a_row_is_known_by_the_line_where_it_begins(write: Write) -> None:
    write("talks.csv", f'url,title\n{A},"two\nlines"\n{B},x\n{A},y\n')

    assert told(read("talks.csv")) == [f"1 {A}", f"2 {B}", "talks.csv:5 repeats talks.csv:2"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_parted_by_what_its_header_shows(write: Write, delimiter: str) -> None:
    write("talks.csv", f"title{delimiter}url\nTalk{delimiter}{A}\n")

    assert [(item.title, item.source.location) for item in items("talks.csv")] == [("Talk", A)]


@pytest.mark.parametrize(
    "wrap", [lambda entries: entries, lambda entries: {"about": {"n": [1]}, "items": entries, "x": 1}]
)
def test_json_holds_texts_and_objects_also_under_items(write: Write, wrap: object) -> None:
    entries = [A, {"url": B, "id": 7, "title": "Zwei", "priority": 3, "summarize.length": "brief", "x": None}, C]
    write("talks.json", json.dumps(wrap(entries), indent=2))  # type: ignore[operator]

    found = items("talks.json", check_options=lambda _options: None)

    assert [item.source.location for item in found] == [A, B, C]
    assert (found[1].reference, found[1].title, found[1].priority) == ("7", "Zwei", 3)
    assert found[1].options == {"summarize": {"length": "brief"}}
    assert [item.origin for item in found] == ["talks.json item 1", "talks.json item 2", "talks.json item 3"]


def test_a_json_array_longer_than_any_window_is_read_whole(write: Write) -> None:
    addresses = [f"https://example.org/{'é' * (number % 300)}/{number}" for number in range(3000)]
    write("talks.json", json.dumps(addresses, ensure_ascii=False))

    assert [item.source.location for item in items("talks.json")] == addresses


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("12", "neither a text nor an object"),
        ("null", "neither a text nor an object"),
        ('""', "an empty text"),
        ('{"link": "https://a.example"}', 'no "url"'),
        ('{"url": 3}', 'no "url"'),
        ('{"url": "https://x.example", "priority": 11}', "from 0 to 10, found 11"),
        ('{"url": "https://x.example", "priority": "high"}', "found 'high'"),
        ('{"url": "https://x.example", "priority": true}', "found True"),
        ('{"url": "https://x.example", "priority": 1.5}', "found 1.5"),
        ('{"url": "https://x.example", "title": ["t"]}', "title: wanted a text"),
        ('{"url": "https://x.example", "title": "\\u0000"}', "title: a character"),
        ('{"url": "https://x.example", "id": "\\ud800"}', "id: a character"),
        ('{"url": "https://x.example", "title": "' + "t" * 1001 + '"}', "limit is 1,000"),
        ('{"url": "https://x.example", "no.stage": "1"}', "no such stage"),
        ('{"url": "https://x.example"', "no right JSON"),
    ],
)
def test_a_wrong_entry_is_invalid_and_the_others_go_on(write: Write, entry: str, reason: str) -> None:
    def refuse(_options: object) -> None:
        raise UsageError("no such stage 'no'")

    write("talks.jsonl", f'"{A}"\n{entry}\n"{B}"\n')

    lines = read("talks.jsonl", check_options=refuse)

    assert told(lines) == [f"1 {A}", "talks.jsonl:2 is invalid", f"2 {B}"]
    assert isinstance(lines[1], Invalid)
    assert reason in lines[1].reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",8,x", "nothing under 'url'"),
        (f"{C},8,x,y", "4 cells"),
        (f"{C},-1,", "found '-1'"),
        (f"{C},1e3,", "found '1e3'"),
    ],
)
def test_a_wrong_row_is_invalid_and_the_others_go_on(write: Write, row: str, reason: str) -> None:
    write("talks.csv", f"url,priority,title\n{A},1,\n{row}\n{B}\n")

    lines = read("talks.csv")

    assert told(lines) == [f"1 {A}", "talks.csv:3 is invalid", f"2 {B}"]
    assert isinstance(lines[1], Invalid)
    assert reason in lines[1].reason


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (f"\n\n# c\n{A}\n{B}\n", "stdin:4"),
        (f'\ufeff\n"{A}"\n{{"url": "{B}"}}\n', "stdin:2"),
        (f'[\n"{A}",\n{{"url": "{B}"}}]', "stdin:1"),
    ],
)
def test_standard_input_is_lines_or_json_as_its_first_character_says(text: str, first: str) -> None:
    found = items("-", stdin=text.encode())

    assert [item.source.location for item in found] == [A, B]
    assert found[0].origin == first


def test_secrets_are_used_for_fetching_and_never_shown(write: Write) -> None:
    address = "https://user:secret@a.example/v.mp4?sig=hidden&b=1"
    write("list.txt", f"{address}\n{address}\nftp://user:secret@a.example/?token=hidden\n")

    lines = read("list.txt")

    assert isinstance(lines[0], Valid)
    assert lines[0].item.source.location == address
    assert "secret" not in lines[0].item.given + str(lines[1:])
    assert "hidden" not in lines[0].item.given + str(lines[1:])


def test_a_long_line_is_shown_short() -> None:
    lines = read(A, "-", stdin=b"https://" + b"x" * 9000 + b"\n" + B.encode())

    assert isinstance(lines[1], Invalid)
    assert len(lines[1].text) == 500
