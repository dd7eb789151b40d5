"""The language models that can be asked, and their keys. `provider:name` becomes a model of pydantic-ai.

Keys are checked before any work, and never appear in a message.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rushes.errors import NeedsInput, Scope, UsageError
from rushes.masking import MASK, masked

if TYPE_CHECKING:
    from pydantic_ai.models import Model

KEY_VARIABLES = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}
SUMMARIZE_OFFLINE = "summarize offline: --set summarize.model=offline"
_NO_KEY = "none"
"""What is sent to a server of one's own that asks for no key: the clients insist on something."""


@dataclass(frozen=True, slots=True, repr=False)
class LanguageModel:
    """A model, where it is, and the key to it."""

    provider: str
    name: str
    url: str | None
    key: str
    instead: str = SUMMARIZE_OFFLINE
    """What can be done without it, as the end of a remedy."""

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}"

    __repr__ = __str__

    def clean(self, text: str) -> str:
        """The text without the key or other secrets, on one line, short enough for a message."""
        without = text.replace(self.key, MASK) if self.key != _NO_KEY else text
        return masked(" ".join(without.split()))[:300]

    def connect(self) -> Model:
        """Make the client. It closes its connections when it is left as a context manager."""
        try:
            return _MAKERS[self.provider](self)
        except ImportError:
            raise not_installed(self) from None


def not_installed(model: LanguageModel) -> NeedsInput:
    return NeedsInput(
        f"The language model {model} cannot be asked: its client is not installed",
        remedy="Install it: pip install 'rushes[llm]'",
        scope=Scope.ENVIRONMENT,
    )


def parse(given: str) -> tuple[str, str]:
    """Split `provider:name`.

    Raises:
        UsageError: it is not of that form, or the provider is unknown.
    """
    provider, _, name = given.partition(":")
    if provider not in KEY_VARIABLES or not name.strip():
        known = ", ".join(f"{known}:NAME" for known in KEY_VARIABLES)
        raise UsageError(f"There is no language model {given!r}; wanted is one of {known}, or offline")
    return provider, name.strip()


def choose(given: str, *, url: str | None, key: str | None, instead: str = SUMMARIZE_OFFLINE) -> LanguageModel:
    """Find the key to a model. `instead` says what can be done without it.

    Raises:
        UsageError: `given` names no provider.
        NeedsInput: the provider's service needs a key and there is none.
    """
    provider, name = parse(given)
    variables = KEY_VARIABLES[provider]
    found = key or next((os.environ[variable] for variable in variables if os.environ.get(variable)), None)
    if not found and not url:
        raise NeedsInput(
            f"The language model {given} needs a key, and {variables[0]} is not set",
            remedy=f"Set {variables[0]} (or RUSHES_MODEL_KEY), or {instead}",
            scope=Scope.ENVIRONMENT,
        )
    return LanguageModel(provider, name, url, found or _NO_KEY, instead)


def _anthropic(model: LanguageModel) -> Model:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    return AnthropicModel(model.name, provider=AnthropicProvider(api_key=model.key, base_url=model.url))


def _openai(model: LanguageModel) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    if model.url:
        # Services that only speak the protocol refuse some of what OpenAI's own takes.
        own = OpenAICompatibleProvider("openai-compatible", base_url=model.url, api_key=model.key)
        return OpenAIChatModel(model.name, provider=own)
    return OpenAIChatModel(model.name, provider=OpenAIProvider(api_key=model.key))


def _google(model: LanguageModel) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(model.name, provider=GoogleProvider(api_key=model.key, base_url=model.url))


_MAKERS = {"anthropic": _anthropic, "openai": _openai, "google": _google}
