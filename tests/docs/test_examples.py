"""What the documents tell a reader to type can be typed: commands parse, programs run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import rushes
from rushes.batches.export.formats import Format
from rushes.cli.app import COMMANDS
from rushes.cli.arguments import parse_concurrency
from rushes.documents import Cue, Transcript
from rushes.errors import ErrorClass
from rushes.media.ffmpeg import find_ffmpeg
from rushes.settings import Settings
from rushes.stages import registry

from .pages import PAGES, code_blocks, name_of, python_blocks

PROCESSOR = "https://processor.example"
"""What a reader has set up by the time they process addresses."""
CAPTIONS = """WEBVTT

00:00.000 --> 00:02.000
A lease is a right that ends by itself.

00:02.000 --> 00:04.000
Whoever lost it may write nothing.
"""


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_named_in_the_text_exist(page: Path, generate: ModuleType) -> None:
    for words in _named(page.read_text(encoding="utf-8")):
        problem = _unknown(words, generate)
        assert problem is None, f"{name_of(page)}: `{shlex.join(words)}`: {problem}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_to_be_typed_parse(page: Path, generate: ModuleType) -> None:
    for block in code_blocks(page.read_text(encoding="utf-8")):
        for words in _typed(block):
            _parse(words, generate)


def test_examples_are_found_and_wrong_ones_refused(generate: ModuleType) -> None:
    blocks = [block for page in PAGES for block in code_blocks(page.read_text(encoding="utf-8"))]
    assert sum(1 for block in blocks for _ in _typed(block)) > 60
    for wrong in ("run", "run x --no-such", "run x --set summarize.size=1", "batch export 1", "queue show many"):
        with pytest.raises(Exception, match=r"Missing|No such|no option|valid integer"):
            _parse(shlex.split(wrong), generate)


async def test_the_stage_of_the_how_to_counts_words(tmp_path: Path) -> None:
    code, _call = python_blocks("docs/how-to/write-a-stage.md")
    module: dict[str, Any] = {"__name__": "rushes_wordcount"}
    exec(compile(code, "write-a-stage.md", "exec", dont_inherit=True), module)  # noqa: S102  (our own page)
    stage = module["wordcount"]
    try:
        result = await stage.run(None, _context("one two three", tmp_path, stage.options(at_least=2)))
        (made,) = result.made
        assert {made.kind} == stage.makes
        assert json.loads(made.path.read_text()) == {"words": 3}
        with pytest.raises(rushes.Permanent, match="only 3 words"):
            await stage.run(None, _context("one two three", tmp_path, stage.options()))
    finally:
        registry._decorated.pop("wordcount")


def test_the_stage_of_the_how_to_works_on_the_command_line(tmp_path: Path, server_home: Path) -> None:
    (tmp_path / "rushes_wordcount.py").write_text(python_blocks("docs/how-to/write-a-stage.md")[0])
    _make_talk(tmp_path)
    command = "run talk.mp4 --import rushes_wordcount --pipeline download+transcribe+wordcount --json"
    done = _run([*shlex.split(command), "--set", "wordcount.at_least=5"], tmp_path, server_home)
    assert done.returncode == 0, done.stderr
    failed = _run([*shlex.split(command), "--set", "wordcount.at_least=500"], tmp_path, server_home)
    assert failed.returncode == 3
    manifest = json.loads((tmp_path / "rushes-out" / "manifest.json").read_text())
    assert manifest["items"][0]["reason"] == "only 15 words are spoken"


def test_the_program_of_the_how_to_runs(tmp_path: Path, server_home: Path) -> None:
    (code,) = python_blocks("docs/how-to/embed-in-python.md")
    (tmp_path / "count_words.py").write_text(code)
    _make_talk(tmp_path)
    done = _python([str(tmp_path / "count_words.py"), "talk.mp4"], tmp_path, server_home)
    assert (done.returncode, done.stdout) == (0, "talk completed 15 \n"), done.stderr
    wrong = _python([str(tmp_path / "count_words.py"), "talc.mp4"], tmp_path, server_home)
    assert wrong.returncode == 1
    assert "talc.mp4: no such file; did you mean 'talk.mp4'?" in wrong.stderr


def _make_talk(folder: Path) -> None:
    """A second of a tone, whose captions say what would have to be heard."""
    sound = ("-f", "lavfi", "-i", "sine=duration=4", "-f", "lavfi", "-i", "color=duration=4:size=160x90")
    subprocess.run([find_ffmpeg(None).path, "-v", "error", *sound, folder / "talk.mp4"], check=True)
    (folder / "talk.vtt").write_text(CAPTIONS)


def _run(words: list[str], folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return _python(["-m", "rushes", *words], folder, home)


def _python(words: list[str], folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RUSHES_HOME": str(home), "RUSHES_STORAGE": str(folder / "artifacts")}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def _context(text: str, folder: Path, options: object) -> SimpleNamespace:
    path = folder / "transcript.json"
    cue = Cue(text=text, start=0, end=1)
    Transcript(source="captions", engine="publisher captions", speech="some", cues=(cue,)).write(path)
    files = {"transcript": [SimpleNamespace(path=path)]}
    return SimpleNamespace(inputs=files.__getitem__, scratch=folder, options=options)


def _named(text: str) -> Iterator[list[str]]:
    """Every `rushes …` in code, inline or in blocks, as words."""
    for code in re.findall(r"(?:^(?: {4,}|)|`|[|&] ?)(?:\./dev run|rushes) ([^`\n|#&]+)", text, re.MULTILINE):
        words = code.replace("…", "").replace("INPUT", "x").replace('"$(', "").split(")")[0]
        yield shlex.split(words) if words.count("'") % 2 == words.count('"') % 2 == 0 else words.split()


def _typed(block: str) -> Iterator[list[str]]:
    """The commands in a block of code that a reader types, without what a shell makes of the rest of the line."""
    for line in block.splitlines():
        if "[OPTIONS]" in line or "COMMAND" in line:
            continue
        for code in re.findall(r"(?:^|[\s(|])(?:\./dev run|rushes) +([^|&)<]+?)(?=\s{2,}|\s+#|[|&)<]|$)", line):
            yield shlex.split(code.replace(" …", ""))


def _parse(words: list[str], generate: ModuleType) -> None:
    """Parse a command as the program does, and check what it would check of its values first."""
    name, *rest = words
    if name.startswith("-") or "--help" in rest:
        return
    command = generate.click_command(name)
    subcommands = getattr(command, "commands", None)
    if subcommands is not None:
        command, rest = subcommands[rest[0]], rest[1:]
    given = command.make_context(name, rest).params
    if given.get("pipeline") and "wordcount" not in given["pipeline"]:
        registry.resolve(given["pipeline"], given["options"] or (), settings=Settings.load(processor_url=PROCESSOR))
    parse_concurrency(str(given.get("concurrency") or ""))
    for kind in filter(None, (given.get("kinds") or "").split(",")):
        registry.get(kind)
    assert given.get("form") in {None, *Format}
    classes = given.get("error_class") or ()
    assert ({classes} if isinstance(classes, str) else set(classes)) <= {*ErrorClass}


def _unknown(words: list[str], generate: ModuleType) -> str | None:
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
