"""`rushes config`: every setting, where it came from, no secret."""

from __future__ import annotations

from pathlib import Path

from rushes.settings import Settings

from .conftest import Rushes


def test_every_setting_is_shown_with_its_meaning(rushes: Rushes) -> None:
    shown = rushes("config", "--json").json["settings"]
    assert set(shown) == set(Settings.model_fields)
    assert all(each["meaning"] for each in shown.values())
    text = rushes("config").out
    for name in Settings.model_fields:
        assert f"\n{name} " in f"\n{text}"


def test_it_says_where_each_value_came_from(rushes: Rushes, home: Path) -> None:
    file = home.parent / "config.toml"
    file.write_text('speech_model = "base"\nmax_jobs = 3\n')
    try:
        shown = rushes("config", "--json", RUSHES_MAX_JOBS="5", DATABASE_URL="postgresql://h/d").json["settings"]
    finally:
        file.unlink()
    assert (shown["speech_model"]["value"], shown["speech_model"]["source"]) == ("base", str(file))
    assert (shown["max_jobs"]["value"], shown["max_jobs"]["source"]) == ("5", "RUSHES_MAX_JOBS")
    assert (shown["database_url"]["value"], shown["database_url"]["source"]) == ("postgresql://h/d", "DATABASE_URL")
    assert shown["model"]["source"] == "default"
    assert shown["database_url"]["variables"] == ["RUSHES_DATABASE_URL", "DATABASE_URL"]


def test_secrets_are_masked(rushes: Rushes) -> None:
    given = {
        "DATABASE_URL": "postgresql://me:hidden@h/d",
        "RUSHES_MODEL_KEY": "hidden",
        "RUSHES_PROXY": "http://me:hidden@h",
    }
    for ended in (rushes("config", **given), rushes("config", "--json", **given)):
        assert ended.code == 0
        assert "hidden" not in ended.out
        assert "postgresql://me:***@h/d" in ended.out


def test_a_wrong_setting_is_named(rushes: Rushes) -> None:
    ended = rushes("config", RUSHES_MAX_JOBS="many")
    assert ended.code == 2
    assert "RUSHES_MAX_JOBS" in ended.err
    assert "'many'" in ended.err
