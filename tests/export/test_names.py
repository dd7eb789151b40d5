"""Names made of anything are one harmless path component, and no two are the same."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.batches.export.names import LONGEST, Names, NameTemplate, Naming, safe_name, slug
from rushes.errors import UsageError

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
awkward = st.one_of(
    st.text(max_size=300),
    st.text(alphabet='./\\:*?"<>|%- \u202e\x00\n~', max_size=40),
    st.sampled_from(
        ["..", "CON", "nul", "com1", "/etc/passwd", "C:\\x", "a\u0301" * 200, "日" * 500, "", " ", "-rf", "～"]
    ),
)


def is_harmless(name: str) -> bool:
    return (
        0 < len(name.encode()) <= LONGEST
        and not set(name) & set('/\\:*?"<>|.%')
        and not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in name)
        and name == name.strip()
        and not name.startswith(("-", "~"))
        and not RESERVED.fullmatch(name)
    )


@settings(deadline=None)
@given(title=awkward, key=awkward, date=awkward, reference=awkward)
@pytest.mark.parametrize("template", ["{position:03d}-{slug}", "{title}", "{key}", "{reference} {date}", "{id}"])
def test_any_name_is_harmless_and_stays_in_its_folder(
    template: str, title: str, key: str, date: str, reference: str
) -> None:
    name = NameTemplate(template).name(Naming(1, title, key, date, reference))
    assert is_harmless(name)
    root = Path("/srv/results")
    assert (root / name).resolve().parent == root


@settings(deadline=None)
@given(st.lists(awkward, min_size=1, max_size=30))
def test_no_two_names_are_the_same_even_without_case(titles: list[str]) -> None:
    names, template = Names(), NameTemplate("{title}")
    taken = [
        names.take((number, "k"), template.name(Naming(number, title, "k"))) for number, title in enumerate(titles)
    ]
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in taken}) == len(titles)
    assert all(is_harmless(name) for name in taken)


@settings(deadline=None)
@given(awkward)
def test_names_are_made_the_same_way_twice(text: str) -> None:
    assert safe_name(safe_name(text)) == safe_name(text)
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Héllo Wörld! Don't panic", "hello-world-dont-panic"),
        ("Grüße aus Ærøskøbing: Łódź", "grusse-aus-aeroskobing-lodz"),
        ("日本語のタイトル", "日本語のタイトル"),
        ("हिन्दी शीर्षक", "हिन्दी-शीर्षक"),
        ("Ελληνικά λόγια", "ελληνικά-λόγια"),
        ("İstanbul", "istanbul"),
        ("👩‍👩‍👧 ❤️", ""),
    ],
)
def test_slugs_fold_latin_letters_and_keep_other_scripts(title: str, expected: str) -> None:
    assert slug(title) == expected


def test_a_long_title_is_cut_at_a_whole_character() -> None:
    name = NameTemplate().name(Naming(12, "日本語" * 100, "k"))
    assert name.startswith("012-日本語")
    assert len(name.encode()) <= LONGEST


def test_a_title_of_nothing_readable_still_has_a_name() -> None:
    assert NameTemplate().name(Naming(3, "👩‍👩‍👧", "k")) == "003-video"
    assert NameTemplate("{title}").name(Naming(3, "...", "k")) == "item-3"


def test_an_owner_keeps_its_name_and_frees_the_one_it_had() -> None:
    names = Names()
    assert names.take((1, "a"), "talk") == "talk"
    assert names.take((2, "b"), "Talk") == "Talk-2"
    assert names.take((1, "a"), "lecture") == "lecture"
    assert names.take((3, "c"), "talk") == "talk"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{positon}-{slug}", "Did you mean {position}?"),
        ("{slug.__class__}", "unknown field 'slug.__class__'"),
        ("{0}", "unknown field '0'"),
        ("{slug", "not well formed"),
        ("{slug}/{date}", "path separator"),
        ("{slug!r}", "cannot write slug as '!r'"),
        ("{position:09999999999d}", "cannot write position"),
        ("{title:>999999999}", "cannot write title"),
        ("talk", "has no field"),
    ],
)
def test_a_wrong_template_is_refused_with_the_known_fields(template: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        NameTemplate(template)
    assert refused.value.remedy
