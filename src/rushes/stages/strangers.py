"""Pipelines for those who ask over the network: by name, with options of their own, but none that is nobody's business."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from rushes.errors import UsageError
from rushes.model import Plan
from rushes.settings import Settings
from rushes.stages import registry


class Pipelines:
    """Makes plans of pipelines' names."""

    def __init__(self, settings: Settings, options: Sequence[str] = ()) -> None:
        """`options` (`stage.option=value`) hold in every pipeline that has the stage.

        Raises: UsageError, for an unknown stage or option, or a wrong value.
        """
        self._settings = settings
        self._options = options
        for stage, given in registry.parse_assignments(options).items():
            registry.parse_options(registry.get(stage), given)
        self._plan = functools.lru_cache(maxsize=100)(self._make_plan)

    def resolve(self, pipeline: str, options: Mapping[str, Mapping[str, Any]]) -> Plan:
        """The plan of a pipeline, for an item with these options of its own.

        Raises: UsageError, for an unknown pipeline, stage or option, a wrong value, or an option that is not a stranger's to
        set, such as one that names credentials, or a file of this machine.
        """
        plan = self._plan(pipeline)
        for name, given in options.items():
            stage = registry.get(name)
            withheld = (stage.private_options | stage.operators_options) & set(given)
            if withheld:
                raise UsageError(f"{name}.{min(withheld)} cannot be set by who asks, only by who runs the worker")
        registry.check_item_options(plan, options)
        return plan

    def _make_plan(self, pipeline: str) -> Plan:
        bare = registry.resolve(pipeline, settings=self._settings)
        stages = {step.stage for step in bare.steps}
        given = [option for option in self._options if option.partition(".")[0].strip() in stages]
        return registry.resolve(pipeline, given, settings=self._settings)
