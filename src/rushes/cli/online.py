"""The two checks of `rushes doctor --online` that ask the network: is it there, and is the model's key taken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import httpx

from rushes.cli.checks import KEYS, Finding, State

if TYPE_CHECKING:
    from rushes.settings import Settings

SITE = "https://www.youtube.com/robots.txt"
PATIENCE = 15.0
MODELS = {
    "anthropic": "https://api.anthropic.com/v1/models",
    "openai": "https://api.openai.com/v1/models",
    "google": "https://generativelanguage.googleapis.com/v1beta/models",
}
"""Lists of models: free to ask for, and only for those who have a key."""


async def check_network(settings: Settings, site: str = SITE) -> Finding:
    """Fetch a small page, by the proxy for downloads if there is one."""
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    host = httpx.URL(site).host
    try:
        async with httpx.AsyncClient(proxy=proxy, timeout=PATIENCE) as client:
            answer = await client.get(site)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        what = f"{host} cannot be reached: {type(error).__name__} {error}".strip()
        return Finding(
            "network", State.WARNING, what, "Files of this machine work without; for downloads see RUSHES_PROXY."
        )
    return Finding("network", State.FOUND, f"{host} answers with {answer.status_code}")


async def check_key(settings: Settings) -> Finding:
    """Ask the model's provider for its list of models."""
    provider = (settings.model or "").partition(":")[0]
    key = _key(settings, provider)
    if provider not in MODELS or key is None:
        return Finding("model's key", State.FOUND, "no key to try")
    address = f"{settings.model_url.rstrip('/')}/models" if settings.model_url else MODELS[provider]
    host = httpx.URL(address).host
    try:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            answer = await client.get(address, headers=_headers(provider, key))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        what = f"{host} cannot be reached: {type(error).__name__}"
        return Finding("model's key", State.MISSING, what, "Correct RUSHES_MODEL_URL, or see to the network.")
    if answer.status_code in {400, 401, 403}:
        what = f"{host} refuses the key ({answer.status_code})"
        return Finding("model's key", State.MISSING, what, f"Set {' or '.join((*KEYS[provider], 'RUSHES_MODEL_KEY'))}.")
    return Finding("model's key", State.FOUND, f"{host} takes it ({answer.status_code})")


def _key(settings: Settings, provider: str) -> str | None:
    if settings.model_key is not None:
        return settings.model_key.get_secret_value()
    return next((os.environ[name] for name in KEYS.get(provider, ()) if os.environ.get(name)), None)


def _headers(provider: str, key: str) -> dict[str, str]:
    if provider == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    if provider == "google":
        return {"x-goog-api-key": key}
    return {"authorization": f"Bearer {key}"}
