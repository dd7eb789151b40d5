"""What lies in `deploy/`, read as its tools read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rushes.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CLOUD_RUN = DEPLOY / "cloud-run"
FILLED = {
    "PROJECT": "films", "DATASET": "videos", "SOURCE": "urls", "TARGET": "chapters", "JOB": "a-job",
    "PROCESSOR_URL": "https://processor.example.run.app", "ACCOUNT": "job@films.iam.gserviceaccount.com",
    "IMAGE": "us-docker.pkg.dev/films/rushes/rushes:1", "SUBSCRIPTION": "requests", "BUCKET": "films-artifacts",
    "DATABASE_SECRET": "database-url",
}  # fmt: skip
"""Values for the names in braces."""


@dataclass(frozen=True)
class Instruction:
    """One of a Dockerfile."""

    name: str
    rest: str


def dockerfile() -> Iterator[Instruction]:
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE))
    for line in filter(None, text.splitlines()):
        name, _, rest = line.partition(" ")
        yield Instruction(name, rest)


def of_dockerfile(name: str) -> list[str]:
    return [one.rest for one in dockerfile() if one.name == name]


def cloud_run_job(file: Path) -> Any:
    """A job's description with the names in braces filled in."""
    text = file.read_text()
    for name, value in FILLED.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return yaml.safe_load(text)


def variables_of_settings() -> set[str]:
    """Every variable that a setting is read from."""
    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    return {str(choice) for alias in aliases for choice in getattr(alias, "choices", ())}


def environment(container: Mapping[str, Any]) -> dict[str, Any]:
    """A container's variables; None for what comes from elsewhere."""
    return {one["name"]: one.get("value") for one in container["env"]}
