"""Identity tokens for a laptop: from the credentials that `GOOGLE_APPLICATION_CREDENTIALS` names, by google-auth.

A service account's key, or the right to stand for one (impersonation). A person's own login has no token for an audience.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rushes.errors import NeedsInput, Scope, Transient
from rushes.masking import masked

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_KEY, _STANDS_FOR = "service_account", "impersonated_service_account"


def usable(environment: Mapping[str, str]) -> Path | None:
    """The file, if it holds what a token can be made of and google-auth is here."""
    path = Path(environment.get(VARIABLE) or "/")
    installed = importlib.util.find_spec("google") and importlib.util.find_spec("google.auth")
    return path if installed and _kind(path) in {_KEY, _STANDS_FOR} else None


async def fetch(path: Path, audience: str) -> str:
    """Have a token made.

    Raises:
        NeedsInput: the credentials are not right, or are refused.
        Transient: Google could not be asked.
    """
    from google.auth import exceptions

    try:
        return await asyncio.to_thread(_fetch, path, audience)
    except exceptions.TransportError as error:
        raise Transient(f"no identity token could be had: {masked(str(error))[:300]}") from error
    except (exceptions.GoogleAuthError, ValueError) as error:
        if getattr(error, "retryable", False):
            raise Transient(f"no identity token could be had: {masked(str(error))[:300]}") from error
        raise NeedsInput(
            f"no identity token could be had by {VARIABLE}: {masked(str(error))[:300]}",
            remedy=f"have {VARIABLE} name a service account's key that is valid, or credentials that may stand for one",
            scope=Scope.ENVIRONMENT,
        ) from error


def _fetch(path: Path, audience: str) -> str:
    from google.auth.transport.requests import Request

    credentials = _credentials(path, audience)
    credentials.refresh(Request())
    return str(credentials.token)


def _credentials(path: Path, audience: str) -> Any:
    # As values of any type: the package says that it has types, and has hardly any.
    auth: Any = importlib.import_module("google.auth")
    impersonated: Any = importlib.import_module("google.auth.impersonated_credentials")
    service_account: Any = importlib.import_module("google.oauth2.service_account")
    if _kind(path) == _KEY:
        return service_account.IDTokenCredentials.from_service_account_file(str(path), target_audience=audience)
    stands_for, _ = auth.load_credentials_from_file(str(path), scopes=_SCOPES)
    return impersonated.IDTokenCredentials(stands_for, target_audience=audience, include_email=True)


def _kind(path: Path) -> str | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(found.get("type")) if isinstance(found, dict) else None
