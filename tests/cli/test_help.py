"""What a person reads who does not know the command yet, or got it wrong. No database is needed for any of it."""

from __future__ import annotations

import importlib

import pytest
import typer

from rushes.cli.app import COMMANDS, main


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def _every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        app = getattr(importlib.import_module(f"rushes.cli.{name}"), "app", None)
        found.append((name,))
        if app is not None:
            found += [(name, sub) for sub in getattr(typer.main.get_command(app), "commands", {})]
    return found


def test_rushes_alone_prints_help_with_examples(capsys: pytest.CaptureFixture[str]):
    assert called() == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in COMMANDS)
    assert "\n  rushes demo " in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("command", _every_command(), ids=" ".join)
def test_help_keeps_each_example_on_its_line(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]):
    assert called(*command, "--help") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: rushes {' '.join(command)} [OPTIONS]")
    lines = said.splitlines()
    assert max(map(len, lines)) <= 100
    start = next((number for number, line in enumerate(lines) if line.strip() == "Examples:"), None)
    if start is not None:
        examples = [line for line in lines[start + 1 : lines.index("", start + 1)] if line]
        assert examples
        assert all(line.startswith("    ") and "rushes " in line for line in examples)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rn", "did you mean 'run'"),
        ("nonsense", "`rushes --help`"),
        ("run", "missing argument 'INPUT'"),
        ("run x --nonsense", "no such option: --nonsense"),
        ("run x --out", "requires an argument"),
        ("run x --priority 11", "--priority"),
        ("batch lst", "Did you mean 'list'?"),
        ("batch show", "missing argument 'BATCH'"),
        ("batch show one", "BATCH"),
        ("batch show 0", "0 is not from 1"),
        ("batch show 9223372036854775808", "9223372036854775808 is not from 1"),
        ("batch export 1", "--format"),
        ("batch export 1 -f docx", "'docx': wanted one of zip, md"),
        ("batch retry 1 --class nonsense", "wanted one of transient"),
        ("queue show 9223372036854775808", "not from 1"),
        ("queue retry 1 9223372036854775808", "not from 1"),
        ("queue list --batch 9223372036854775808", "not from 1"),
        ("queue list --older-than 1e300", "--older-than"),
        ("queue list --older-than nan", "nan is not"),
        ("queue list --limit 0", "--limit"),
        ("queue list --status nonsense", "wanted one of queued"),
        ("worker --max-runtime -4", "--max-runtime"),
        ("worker --max-jobs 0", "--max-jobs"),
        ("worker --source kafka", "'kafka'"),
        ("worker --concurrency 0", "1 to 1000"),
    ],
)
def test_wrong_use_is_answered_in_words(capsys: pytest.CaptureFixture[str], line: str, said: str):
    assert called(*line.split()) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert answer.err.startswith("rushes " + line.split(maxsplit=1)[0])
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 2


@pytest.mark.parametrize(
    "arguments", [("run", ""), ("run", "x", "--out", ""), ("batch", "export", "1", "-f", "md", "-o", "")]
)
def test_an_empty_name_is_not_the_current_folder(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]):
    assert called(*arguments) == 2
    assert "empty" in capsys.readouterr().err
