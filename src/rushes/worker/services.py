"""Services: what a worker makes once and its jobs share, such as the child process that holds a loaded speech model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rushes.settings import Settings
from rushes.stages.base import Service, Thawing

S = TypeVar("S", bound=Service)


class Services:
    """Made when first asked for, closed with the worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[Callable[[Settings], Any], Service] = {}

    def get(self, make: Callable[[Settings], S]) -> S:
        if make not in self._made:
            self._made[make] = make(self._settings)
        service: Any = self._made[make]
        return service  # type: ignore[no-any-return]  # what `make` made is an S: a dict cannot say so

    def thawed(self) -> None:
        """The process goes on after it was stopped."""
        for service in self._made.values():
            if isinstance(service, Thawing):
                service.thawed()

    async def close(self) -> None:
        for service in self._made.values():
            await service.close()
        self._made.clear()
