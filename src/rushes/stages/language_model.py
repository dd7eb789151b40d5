"""What stages that ask language models share: the options that name one, who may use which, and what it cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from rushes.documents import Usage
from rushes.errors import Permanent, UsageError
from rushes.model import JSON, Engine, Trust
from rushes.settings import Settings
from rushes.stages.base import Context
from rushes.text.providers import LanguageModel, choose, parse

OFFLINE = "offline"


def _known(model: str) -> str:
    if model != OFFLINE:
        try:
            parse(model)
        except UsageError as error:
            raise ValueError(error.reason) from None
    return model


ModelName = Annotated[str, AfterValidator(_known)]
"""`offline` or `provider:name`."""
ServiceAddress = Annotated[str, Field(pattern=r"^https?://\S+$")]
LanguageTag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
"""BCP 47."""


def model_defaults(settings: Settings) -> JSON:
    """The options `model` and `model_url` as the settings have them."""
    return {"model": settings.model or OFFLINE, "model_url": settings.model_url}


def chosen_model(context: Context, *, instead: str) -> LanguageModel | None:
    """The model of the options `model` and `model_url`, with its key; None: offline.

    Args:
        context: the job's.
        instead: what can be done without the model, as the end of a remedy: `summarize offline: --set …`.

    Raises:
        Permanent: a stranger asked for a model that is not the operator's.
        NeedsInput: there is no key.
    """
    options, settings = context.options, context.settings
    if options.model == OFFLINE:
        return None
    operators = options.model == settings.model and options.model_url == settings.model_url
    if context.chosen_by is not Trust.LOCAL and not operators:
        # Anything else could spend the operator's money, or send their key to an address of the asker's.
        raise Permanent(f"The language model {options.model} is not the one that is set up here")
    key = settings.model_key.get_secret_value() if settings.model_key else None
    return choose(options.model, url=options.model_url, key=key, instead=instead)


def engine_of(name: str, model: str | None, usage: Usage | None) -> Engine:
    """What did the work, with what it cost."""
    usage = usage or Usage()
    return Engine(name, model, usage.input_tokens, usage.output_tokens, usage.cost)
