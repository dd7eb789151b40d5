"""Models are named `provider:name`; a missing key is found before any work."""

from __future__ import annotations

import sys

import pytest

from rushes.errors import NeedsInput, Scope, UsageError
from rushes.text.asking import Asker
from rushes.text.providers import choose, parse


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch):
    for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [("anthropic", "ANTHROPIC_API_KEY"), ("openai", "OPENAI_API_KEY"), ("google", "GOOGLE_API_KEY")],
)
def test_a_missing_key_names_its_variable_and_pauses_the_batch(provider: str, variable: str):
    with pytest.raises(NeedsInput, match=variable) as raised:
        choose(f"{provider}:some-model", url=None, key=None)

    assert raised.value.scope is Scope.ENVIRONMENT
    assert "offline" in (raised.value.remedy or "")


def test_the_providers_own_variable_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GEMINI_API_KEY", "g-1")

    assert choose("google:gemini-x", url=None, key=None).key == "g-1"


def test_a_given_key_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")

    assert choose("openai:gpt-x", url=None, key="ours").key == "ours"


def test_a_server_of_ones_own_needs_no_key():
    assert choose("openai:llama", url="http://127.0.0.1:11434/v1", key=None).url == "http://127.0.0.1:11434/v1"


@pytest.mark.parametrize("given", ["gpt-4", "openai:", "nobody:gpt", ":x", ""])
def test_anything_else_is_refused_with_what_is_wanted(given: str):
    with pytest.raises(UsageError, match="anthropic:NAME"):
        parse(given)


def test_a_models_name_may_hold_colons():
    assert parse("openai:llama3.2:3b") == ("openai", "llama3.2:3b")


def test_secrets_and_line_breaks_are_taken_out_of_messages():
    model = choose("openai:x", url=None, key="sk-secret")

    assert model.clean("key sk-secret at\nhttps://me:pw@host/") == "key *** at https://***@host/"


@pytest.mark.parametrize("module", ["pydantic_ai.usage", "pydantic_ai.models.anthropic"])
def test_a_missing_client_says_what_to_install(module: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(NeedsInput) as raised:
        Asker(choose("anthropic:claude-x", url=None, key="k")).model.connect()

    assert "rushes[llm]" in (raised.value.remedy or "")
