"""Identity tokens from Google's metadata server, which every machine and job of Google's has beside it.

https://cloud.google.com/run/docs/authenticating/service-to-service; `GCE_METADATA_HOST` names another, as for Google's
own clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp

from rushes.errors import NeedsInput, Scope, Transient
from rushes.stages.http import answered

HOST = "metadata.google.internal"
TRIES = 3
_PAUSE = 0.25
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"
_FLAVOR = {"Metadata-Flavor": "Google"}
_SIGNS = ("GCE_METADATA_HOST", "CLOUD_RUN_JOB", "K_SERVICE")
_PRODUCT = Path("/sys/class/dmi/id/product_name")


def is_here(environment: Mapping[str, str], product: Path = _PRODUCT) -> bool:
    """Whether this machine is one of Google's: a variable of its platforms says so, or the name of the machine itself."""
    if any(environment.get(name) for name in _SIGNS):
        return True
    try:
        return product.read_text(encoding="utf-8").startswith("Google")
    except (OSError, UnicodeDecodeError):
        return False


async def fetch(session: aiohttp.ClientSession, audience: str, environment: Mapping[str, str]) -> str:
    """Ask for a token of the service account that this runs as.

    Raises:
        NeedsInput: it has no account that could have one.
        Transient: the server did not answer, three times.
    """
    host = environment.get("GCE_METADATA_HOST") or HOST
    parameters = {"audience": audience, "format": "full"}
    trouble = ""
    for number in range(TRIES):
        if number:
            await asyncio.sleep(_PAUSE * 2**number)
        try:
            async with session.get(
                f"http://{host}{_PATH}", params=parameters, headers=_FLAVOR, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                text = (await answer.content.read(20_000)).decode(errors="replace").strip()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            trouble = f"the metadata server {host} does not answer: {error or 'too slow'}"
            continue
        if answer.status == HTTPStatus.OK and answer.headers.get("Metadata-Flavor") == "Google":
            return text
        trouble = f"{answered(f'the metadata server {host}', answer.status)}: {text[:200]}"
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            raise NeedsInput(
                f"no identity token could be had: {trouble}",
                remedy="have it run as a service account, or send no token: RUSHES_PROCESSOR_IDENTITY=none",
                scope=Scope.ENVIRONMENT,
            )
    raise Transient(f"no identity token could be had: {trouble}")
