"""One question to a language model: its answer checked against a schema and the facts, its faults told apart.

An answer that fails its check goes back to the model once, with the reason. Our queue repeats what failed on the way,
so the clients themselves do not.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from rushes.documents import Usage
from rushes.errors import NeedsInput, Permanent, RateLimited, RushesError, Scope, StageError, Transient
from rushes.text.providers import LanguageModel, not_installed

if TYPE_CHECKING:
    from pydantic_ai.exceptions import AgentRunError
    from pydantic_ai.messages import UserContent
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import RunUsage

T = TypeVar("T", bound=BaseModel)
Check = Callable[[T], str | None]
"""What is wrong with an answer, in words for the model; None if nothing is."""

_TIMEOUT = 600.0
_MAX_TOKENS = 16_000


class UnusableAnswer(RushesError):
    """The model refused, or answered twice with what does not fit the schema or the facts."""


class TooLong(RushesError):
    """The question does not fit into the model's context."""


class Asker:
    """A language model and what it has cost so far."""

    def __init__(self, model: LanguageModel) -> None:
        try:
            from pydantic_ai.usage import RunUsage
        except ImportError:
            raise not_installed(model) from None
        self.model = model
        self._usage: RunUsage = RunUsage()

    @property
    def usage(self) -> Usage:
        cost = self._usage.cost
        return Usage(
            requests=self._usage.requests,
            input_tokens=self._usage.input_tokens,
            output_tokens=self._usage.output_tokens,
            cost=None if cost is None else float(cost),
        )

    async def ask(self, schema: type[T], instructions: str, question: str | list[UserContent], check: Check[T]) -> T:
        """Return a checked answer.

        Raises:
            UnusableAnswer: the second answer was no better than the first.
            TooLong: ask for less at once.
            StageError: the service did not answer; its class says what may help.
        """
        from pydantic_ai.exceptions import AgentRunError, UserError

        connected = await to_thread(self.model.connect)
        try:
            async with connected:
                return await self._run(connected, schema, instructions, question, check)
        except AgentRunError as error:
            raise self._fault(error) from None
        except UserError as error:
            raise Permanent(f"{self.model} cannot be asked this: {self.model.clean(str(error))}") from None

    async def _run(
        self, connected: Any, schema: type[T], instructions: str, question: str | list[UserContent], check: Check[T]
    ) -> T:
        from pydantic_ai import Agent, ModelRetry, ToolOutput

        agent = Agent(
            connected,
            output_type=ToolOutput(schema, name="answer"),
            instructions=instructions,
            retries={"output": 1},
            model_settings=self._settings(),
        )

        @agent.output_validator
        def checked(answer: T) -> T:
            wrong = check(answer)
            if wrong:
                raise ModelRetry(wrong)
            return answer

        result = await agent.run(question, usage=self._usage)
        return result.output

    def _settings(self) -> ModelSettings:
        settings: ModelSettings = {"max_retries": 0, "timeout": _TIMEOUT}
        if self.model.provider == "anthropic":
            # Its interface must be told a limit; others would take this one from a small model's context.
            settings["max_tokens"] = _MAX_TOKENS
        return settings

    def _fault(self, error: AgentRunError) -> RushesError:
        from pydantic_ai import exceptions as kinds

        if isinstance(error, kinds.UnexpectedModelBehavior):
            return UnusableAnswer(f"{self.model} gave no usable answer: {self.model.clean(str(error))}")
        if isinstance(error, kinds.ModelContextWindowExceededError):
            return TooLong(f"The question is too long for {self.model}")
        return self._service_fault(error)

    def _service_fault(self, error: AgentRunError) -> StageError:
        from pydantic_ai import exceptions as kinds

        said = self.model.clean(str(error))
        if isinstance(error, kinds.ModelAuthenticationError):
            return self._needs(f"{self.model} refused the key", "Set the right key in RUSHES_MODEL_KEY")
        if isinstance(error, kinds.ModelQuotaExceededError):
            return self._needs(f"The account of {self.model} is used up: {said}", "Raise its limit or use another key")
        if isinstance(error, kinds.ModelNotFoundError):
            return self._needs(
                f"There is no model {self.model}: {said}", "Set RUSHES_MODEL to one that the key may use"
            )
        if isinstance(error, kinds.ModelRateLimitError):
            after = None if error.retry_after is None else timedelta(seconds=error.retry_after)
            return RateLimited(f"{self.model} asked for rest", retry_after=after)
        if isinstance(error, kinds.ModelRequestRejectedError):
            return Permanent(f"{self.model} rejected the question: {said}")
        return Transient(f"{self.model} could not be asked: {said}")

    def _needs(self, message: str, remedy: str) -> NeedsInput:
        return NeedsInput(message, remedy=f"{remedy}, or {self.model.instead}", scope=Scope.ENVIRONMENT)
