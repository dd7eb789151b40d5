# noqa: INP001  (a script, not a package)
"""Rules of the house that no linter knows: short modules, and no trace of the machine that a file was written on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
MODULE_LIMIT = 400
"""Lines. A module that outgrows it holds two things."""
HOME_FOLDER = re.compile(r"/(?:home|Users)/[\w.-]+/")


def tracked() -> list[Path]:
    """Every file that git would hand on, also those about to be added."""
    listing = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in sorted(filter(None, names.split("\0"))) if (path := ROOT / name).is_file()]


def registry_hosts() -> set[str]:
    """The hosts that this machine's package tools are told to use, from their variables and files."""
    home = Path.home()
    files = [
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
        Path("/etc/uv/uv.toml"),
        home / ".config/uv/uv.toml",
        home / ".npmrc",
    ]
    told = [value for name, value in os.environ.items() if name.upper().startswith(("PIP_", "UV_", "NPM_CONFIG_"))]
    told += [_text(path) for path in files]
    hosts = {urlsplit(address).hostname for text in told for address in re.findall(r"https?://[^\s\"']+", text)}
    return {host for host in hosts if host and "." in host}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def long_modules(files: list[Path]) -> Iterator[str]:
    for path in files:
        if path.suffix == ".py" and (lines := len(_text(path).splitlines())) > MODULE_LIMIT:
            yield f"{path.relative_to(ROOT)}: {lines} lines, the limit is {MODULE_LIMIT}"


def traces(files: list[Path]) -> Iterator[str]:
    """Lines that name a registry's host, this checkout's folder, or somebody's home."""
    folders = {f"{folder}/" for folder in (ROOT, Path.home()) if folder != Path("/")}
    places = registry_hosts() | folders
    for path in files:
        for number, line in enumerate(_text(path).splitlines(), 1):
            found = next((place for place in places if place in line), None) or HOME_FOLDER.search(line)
            if found:
                yield f"{path.relative_to(ROOT)}:{number}: names a place of this machine"


def main() -> int:
    files = tracked()
    problems = [*long_modules(files), *traces(files)]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
