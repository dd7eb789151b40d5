"""The pages, and how tests find their way in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Headings as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(name: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level."""
    level = heading.split(" ", maxsplit=1)[0]
    return text_of(name).split(f"\n{heading}\n")[1].split(f"\n{level} ")[0]


def first_column(text: str) -> set[str]:
    """The names in code in the first column of tables."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def code_blocks(text: str) -> Iterator[str]:
    """Code in fences of no language, and indented code, of which some stands in numbered steps."""
    yield from re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    yield from re.findall(r"(?:^ {4,}\S.*\n)+", text, re.MULTILINE)


def python_blocks(name: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", text_of(name), re.MULTILINE | re.DOTALL)
