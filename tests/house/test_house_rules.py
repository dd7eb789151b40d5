"""The rules of the house find what they are there to find, in a checkout that breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RULES = Path(__file__).resolve().parents[2] / ".ci" / "house_rules.py"
REGISTRY = "packages.corp.example"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    shutil.copy(RULES, tmp_path / ".ci")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def check(checkout: Path) -> tuple[int, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout / "nobody"),
        "PIP_INDEX_URL": f"https://{REGISTRY}/simple",
    }
    script = [sys.executable, str(checkout / ".ci" / "house_rules.py")]
    ended = subprocess.run(script, capture_output=True, text=True, env=environment, check=False)
    return ended.returncode, ended.stderr


def test_a_clean_checkout_passes(checkout: Path) -> None:
    (checkout / "short.py").write_text("pass\n" * 400)
    (checkout / "notes.md").write_text("Pages lie at https://example.org/ or /usr/share.\n")
    assert check(checkout) == (0, "")


def test_a_module_over_400_lines_is_named(checkout: Path) -> None:
    (checkout / "long.py").write_text("pass\n" * 401)
    assert check(checkout) == (1, "long.py: 401 lines, the limit is 400\n")


def test_a_registry_of_this_machine_is_found(checkout: Path) -> None:
    (checkout / "pins.txt").write_text(f"a==1\n--index-url https://{REGISTRY}/simple\n")
    code, said = check(checkout)
    assert (code, said) == (1, "pins.txt:2: names a place of this machine\n")
    assert REGISTRY not in said


@pytest.mark.parametrize("place", ["{checkout}/src", "/home" + "/somebody/src", "/Users" + "/somebody/src"])
def test_a_path_of_this_machine_is_found(checkout: Path, place: str) -> None:
    (checkout / "notes.md").write_text(f"see {place.format(checkout=checkout)}\n")
    assert check(checkout) == (1, "notes.md:1: names a place of this machine\n")


def test_files_that_git_ignores_do_not_count(checkout: Path) -> None:
    (checkout / ".gitignore").write_text("made/\n")
    (checkout / "made").mkdir()
    (checkout / "made" / "long.py").write_text("pass\n" * 401)
    assert check(checkout) == (0, "")
