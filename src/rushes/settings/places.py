"""Where things lie unless a setting says otherwise: the data folder and the file of settings."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def default_home() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/rushes")
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "rushes"


def make_home(home: Path) -> None:
    """Make the data folder, if it is not there: private. Root's lets its database's user pass through, and no more."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            home.chmod(0o711)


def config_file() -> Path:
    """The TOML file that is read if it exists: `RUSHES_CONFIG`, else `rushes/config.toml` among the user's own."""
    given = os.environ.get("RUSHES_CONFIG")
    if given:
        return Path(given)
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "rushes" / "config.toml"
