"""The peers' own environments: what requirements.txt pins, in the cache, apart from ours.

Made anew when the pins change. With uv where there is one, else pip. The peers run on the same Python as Rushes; those that
need a later one get a second environment, if such a Python is on this machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.queue.contestants import Contestant, UnavailableError
from bench.queue.places import REQUIREMENTS, cache

PINNED = ("--require-hashes", "--no-deps", "-r", str(REQUIREMENTS))

NEWER = ("3.14", "3.13", "3.12")


class Environments:
    """Interpreters for contestants, made when first asked for."""

    def __init__(self) -> None:
        self._ready: dict[str, str] = {}
        self._failed: dict[str, str] = {}

    def interpreter(self, one: Contestant) -> str:
        """Raises: UnavailableError."""
        if one.ours:
            return sys.executable
        base = find_newer() if one.newer else sys.executable
        if base is None:
            raise UnavailableError("it needs Python 3.12 or later, and there is none on this machine")
        if base in self._failed:
            raise UnavailableError(self._failed[base])
        if base not in self._ready:
            try:
                self._ready[base] = str(_make(base))
            except (OSError, subprocess.CalledProcessError) as error:
                self._failed[base] = "the peers' packages could not be installed; what the installer said stands above"
                raise UnavailableError(self._failed[base]) from error
        return self._ready[base]


def find_newer() -> str | None:
    """A Python 3.12 or later on this machine: on the PATH, or one that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in NEWER:
        for candidate in (f"python{version}", *map(str, kept.glob(f"{version}.*/bin/python"))):
            asked = [candidate, "-c", "import sys; print(sys.executable)"]
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return None


def _make(base: str) -> Path:
    version = subprocess.check_output([base, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True)
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cache() / f"peers-{version.strip()}-{pins}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"installing the peers for Python {version.strip()} into {folder} …", file=sys.stderr, flush=True)
        if _have_uv():
            _run("uv", "venv", "-q", "--python", base, str(folder))
            _run("uv", "pip", "install", "-q", "--python", str(python), *PINNED)
        else:
            _run(base, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "-q", *PINNED)
        (folder / "complete").touch()
    return python


def _have_uv() -> bool:
    try:
        return subprocess.run(["uv", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
