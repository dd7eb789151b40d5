"""The documents keep up with the program: generated pages are fresh, links lead somewhere, nothing is left untold."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from bench.__main__ import names as benchmarks

from rushes import errors
from rushes.batches.export.files import ALL
from rushes.batches.export.formats import Format
from rushes.batches.export.names import FIELDS
from rushes.batches.export.records import batch_record, item_record
from rushes.batches.export.values import ExportedBatch, ExportedItem
from rushes.batches.intake import LISTS
from rushes.cli.app import COMMANDS
from rushes.documents import Cue, Transcript
from rushes.model import BatchStatus, ItemStatus
from rushes.settings import Settings

from .pages import PAGES, ROOT, anchors, first_column, name_of, section, text_of

FILES = "docs/reference/files.md"


def test_one_command_writes_the_reference_as_it_stands(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"cli.md", "settings.md", "stages.md"}
    for path in tmp_path.iterdir():
        on_disk = text_of(f"docs/reference/{path.name}")
        assert on_disk == path.read_text(encoding="utf-8"), f"{path.name} is out of date: run docs/generate.py"


def test_every_setting_is_documented_with_its_meaning(generate: ModuleType) -> None:
    rows = [[cell.strip() for cell in line.split(" | ")] for line in generate.settings_page().splitlines()]
    meanings = {cells[0].strip("| `"): cells[-1].strip(" |") for cells in rows if len(cells) == 4}
    assert set(Settings.model_fields) <= set(meanings)
    assert all(meanings[name] for name in Settings.model_fields)


def test_every_option_of_a_stage_has_a_meaning(generate: ModuleType) -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| .*? \| (.*) \|$", generate.stages_page(), re.MULTILINE)
    assert rows
    assert [option for option, meaning in rows if not meaning.strip()] == []


def test_the_readme_names_every_command() -> None:
    listed = " ".join(first_column(section("README.md", "## Commands")))
    assert [name for name in COMMANDS if f"rushes {name}" not in listed] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_variables_in_the_text_are_settings(page: Path, generate: ModuleType) -> None:
    known = set(re.findall(r"`([A-Z_]+)`", generate.settings_page()))
    assert set(re.findall(r"\bRUSHES_[A-Z_]+\b", page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{name_of(page)} links to {target}"
        if anchor and aim.suffix == ".md":
            assert anchor in anchors(aim), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("contents", ["README.md", "docs/README.md"])
def test_every_page_is_linked(contents: str) -> None:
    folder = (ROOT / contents).parent
    linked = {(folder / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)", text_of(contents))}
    assert [name_of(page) for page in PAGES if page.parent.parent == ROOT / "docs" and page not in linked] == []


def test_the_picture_is_there_and_small() -> None:
    picture = ROOT / "docs" / "pictures" / "demo.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000


def test_the_manifest_s_keys_are_told() -> None:
    told = first_column(section(FILES, "## manifest.json"))
    item = item_record(ExportedItem(position=1, given="", key="", status=ItemStatus.PENDING))
    assert set(item) | {"folder", "files"} <= told
    assert told <= set(item) | {"folder", "files", "format", "batch", "counts", "items", "invalid", "duplicates"}
    made = datetime(2026, 1, 1, tzinfo=UTC)
    batch = batch_record(ExportedBatch(1, "", "", BatchStatus.PENDING, made, {}))
    assert [key for key in batch if f"`{key}`" not in section(FILES, "## manifest.json")] == []


def test_the_transcript_s_keys_are_told() -> None:
    assert first_column(section(FILES, "## transcript.json")) == set(Transcript.model_fields)
    assert all(f"`{key}`" in section(FILES, "## transcript.json") for key in ("text", "start", "end", "words"))
    assert set(Cue.model_fields) == {"text", "start", "end", "words", "confidence"}


def test_files_formats_and_name_fields_are_told() -> None:
    folder = section(FILES, "## The results folder")
    assert [name for name in ALL if name not in folder and not name.startswith(("summary", "thumbnail"))] == []
    assert [field for field in FIELDS if f"`{field}`" not in folder] == []
    assert first_column(section(FILES, "## Exports")) == set(Format)
    assert set(LISTS) | {"-"} <= first_column(section(FILES, "## Lists"))


def test_every_exception_and_class_of_failure_is_told() -> None:
    page = text_of("docs/reference/errors.md")
    tree = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.RushesError)}
    assert tree <= set(re.findall(r"\w+", section("docs/reference/errors.md", "## Exceptions")))
    assert set(errors.ErrorClass) <= first_column(page)


def test_every_benchmark_has_its_section() -> None:
    assert set(benchmarks()) <= anchors(ROOT / "docs" / "reference" / "benchmarks.md")


def test_every_room_stands_on_its_floor() -> None:
    """The table of floors is the one that import-linter checks."""
    entries = (ROOT / "src" / "rushes").iterdir()
    rooms = {path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").is_file()}
    floors = re.findall(r"^\|.*\|$", section("docs/explanation/architecture.md", "## Floors"), re.MULTILINE)
    told = re.findall(r"`(\w+)`", " ".join(floors))
    assert {room for room in rooms if not room.startswith("__")} <= set(told)
    table = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]["layers"]
    layers = [room.strip() for layer in table for room in layer.split("|")]
    assert [room for room in told if room in layers] == layers
