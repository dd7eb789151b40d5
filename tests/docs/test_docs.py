"""The documents keep up with the program: generated pages are fresh, links lead somewhere, commands and settings exist."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import rushes
from rushes.cli.app import COMMANDS
from rushes.documents import Cue, Transcript
from rushes.settings import Settings
from rushes.stages import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(generate: ModuleType) -> None:
    for name, text in generate.pages().items():
        on_disk = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert on_disk == text, f"docs/reference/{name} is out of date: run docs/generate.py"


def test_every_setting_is_documented_with_its_meaning(generate: ModuleType) -> None:
    rows = [[cell.strip() for cell in line.split(" | ")] for line in generate.settings_page().splitlines()]
    meanings = {cells[0].strip("| `"): cells[-1].strip(" |") for cells in rows if len(cells) == 4}
    assert set(Settings.model_fields) <= set(meanings)
    assert all(meanings[name] for name in Settings.model_fields)


def test_every_option_of_a_stage_has_a_meaning(generate: ModuleType) -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| .*? \| (.*) \|$", generate.stages_page(), re.MULTILINE)
    assert rows
    assert [option for option, meaning in rows if not meaning.strip()] == []


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


def anchors(page: Path) -> set[str]:
    """Headings as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_the_text_exist(page: Path, generate: ModuleType) -> None:
    for words in commands_in(page.read_text(encoding="utf-8")):
        problem = fault_of(words, generate)
        assert problem is None, f"{name_of(page)}: `{shlex.join(words)}`: {problem}"


async def test_the_stage_of_the_how_to_counts_words(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(\"{3}.*?)```", (ROOT / "docs/how-to/write-a-stage.md").read_text(), re.DOTALL)
    module: dict[str, Any] = {"__name__": "rushes_wordcount"}
    exec(compile(code, "write-a-stage.md", "exec", dont_inherit=True), module)  # noqa: S102  (our own page)
    stage = module["wordcount"]
    try:
        result = await stage.run(None, context_with("one two three", tmp_path, stage.options(at_least=2)))
        (made,) = result.made
        assert {made.kind} == stage.makes
        assert json.loads(made.path.read_text()) == {"words": 3}
        with pytest.raises(rushes.Permanent, match="only 3 words"):
            await stage.run(None, context_with("one two three", tmp_path, stage.options()))
    finally:
        registry._decorated.pop("wordcount")


def context_with(text: str, folder: Path, options: object) -> SimpleNamespace:
    path = folder / "transcript.json"
    cue = Cue(text=text, start=0, end=1)
    Transcript(source="captions", engine="publisher captions", speech="some", cues=(cue,)).write(path)
    files = {"transcript": [SimpleNamespace(path=path)]}
    return SimpleNamespace(inputs=files.__getitem__, scratch=folder, options=options)


def commands_in(text: str) -> Iterator[list[str]]:
    """Every `rushes …` in code, inline or in blocks, as words."""
    for code in re.findall(r"(?:^(?: {4,}|)|`|[|&] ?)(?:\./dev run|rushes) ([^`\n|#&]+)", text, re.MULTILINE):
        words = code.replace("…", "").replace("INPUT", "x").replace('"$(', "").split(")")[0]
        yield shlex.split(words) if words.count("'") % 2 == words.count('"') % 2 == 0 else words.split()


def fault_of(words: list[str], generate: ModuleType) -> str | None:
    name, *rest = words
    if name.startswith("-"):
        return None
    if name not in COMMANDS:
        return f"there is no command {name}"
    command = generate.click_command(name)
    subcommands: dict[str, Any] | None = getattr(command, "commands", None)
    if subcommands is not None and rest:
        listed = [part.strip(",") for part in rest]
        unknown = [part for part in (listed if "," in rest[0] else listed[:1]) if part not in subcommands]
        if unknown:
            return f"there is no rushes {name} {unknown[0]}"
        command = subcommands[listed[0]]
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
    return next((f"no option {word}" for word in rest if word.startswith("--") and word not in known), None)
