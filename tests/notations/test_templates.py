"""Templates of JSON: what goes in stays one value, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.notations.templates import Template, field_of

NAMES = ("address", "id")


def template(value: Any) -> Template:
    return Template(value, NAMES, prefix="payload.")


def filled(value: Any, find: Callable[[str], Any]) -> Any:
    """What the text says that a filled template is."""
    return json.loads(template(value).fill(find))


def test_a_text_that_is_one_place_becomes_what_goes_in():
    given_ = {"address": "https://example.org", "id": 7, "payload.tags": ["a"], "payload.none": None}
    value = {
        "a": "{address}",
        "b": ["{id}", {"c": "{payload.tags}"}],
        "d": "{payload.none}",
        "e": 1.5,
        'ü"': [None, True],
    }
    assert filled(value, given_.get) == {
        "a": "https://example.org", "b": [7, {"c": ["a"]}], "d": None, "e": 1.5, 'ü"': [None, True],
    }  # fmt: skip


def test_within_other_text_values_are_written_out_and_what_is_missing_leaves_nothing():
    value = "{id}: {address}, {payload.n} {payload.o}{payload.x}."
    assert filled(value, {"id": "ä", "address": "{id}", "payload.n": 2, "payload.o": {"k": "ü"}}.get) == (
        'ä: {id}, 2 {"k": "ü"}.'
    )


def test_doubled_braces_are_braces():
    assert filled('{{"url": "{address}"}}', lambda _: "x") == '{"url": "x"}'


@pytest.mark.parametrize(("value", "said"), [
    ({"a": "{adress}"}, r"there is no \{adress\}; there are \{address\}, \{id\}, \{payload.FIELD\}"),
    ({"a": "{payload.}"}, "there is no"),
    ({"a": "{payload.a b}"}, "there is no"),
    ({"a": "{}"}, "there is no"),
    ({"a": "{address.__class__}"}, "there is no"),
    ({"a": "{address"}, r"write \{\{ for one"),
    ({"a": "address}"}, r"write \}\} for one"),
    ({"a": "nothing", "{address}": 1}, "no place to be filled"),
    (7, "no place to be filled"),
])  # fmt: skip
def test_a_wrong_template_is_refused_with_what_there_is(value: Any, said: str):
    with pytest.raises(ValueError, match=said):
        template(value)


def test_a_template_without_a_bottom_is_refused():
    deep: Any = "{address}"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        template(deep)


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_place(address: str, title: str):
    value = {"a": "{address}", "b": ["say {id}!"]}
    assert filled(value, {"address": address, "id": title}.get) == {"a": address, "b": [f"say {title}!"]}


def test_fields_are_found_by_their_names():
    row = {"a": {"b": [1]}, "c": 2}
    assert field_of(row, "a.b") == [1]
    assert field_of(row, "c") == 2
    assert field_of(row, "c.d") is None
    assert field_of(row, "nothing") is None
