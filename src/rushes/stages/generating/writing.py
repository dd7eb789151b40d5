"""The script: by a language model or offline, refused where a request says too little, and kept for another attempt."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rushes.documents import Script, Usage
from rushes.errors import NeedsInput, Transient
from rushes.model import Job
from rushes.stages.base import Context
from rushes.stages.generating.options import GenerateOptions
from rushes.stages.language_model import chosen_model
from rushes.text.asking import Asker
from rushes.text.lexicon import primary
from rushes.text.model_summary import Progress
from rushes.text.providers import LanguageModel
from rushes.text.scripts import extractive, online
from rushes.text.scripts.english import ENGLISH, has_sound, is_english
from rushes.text.scripts.request import ScriptRequest
from rushes.text.scripts.vague import TooVague, questions

_INSTEAD = "quote a text offline: --set generate.model=offline"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one job's script."""

    options: GenerateOptions
    job: Job
    context: Context
    progress: Progress

    async def write(self, request: ScriptRequest) -> Script:
        """Write what is asked for.

        Raises:
            NeedsInput: the request is too vague, or there is a request alone and no model, or no voice can read it.
            Permanent, Transient, RateLimited: the model cannot be asked.
        """
        if self.options.spoken and self.options.language and primary(self.options.language) != ENGLISH:
            raise _unspeakable(f"the language {self.options.language}")
        if vague := questions(request):
            raise _too_vague(vague)
        model = chosen_model(self.context, instead=_INSTEAD)
        if model is None and request.material is None:
            raise NeedsInput(
                "a request alone needs a language model: offline a script is quoted from a text, and there is none",
                remedy="Give the text that it is about (generate.text, or a .md or .txt file), or set RUSHES_MODEL.",
            )
        script = await (self._ask(request, model) if model else asyncio.to_thread(extractive.script, request))
        if self.options.spoken:
            _refuse_unspeakable(script)
        return script

    async def _ask(self, request: ScriptRequest, model: LanguageModel) -> Script:
        """The model's script. One that an earlier attempt has paid for is taken again."""
        draft = await asyncio.to_thread(lambda: Draft(self.context.scratch / "draft.json", _identity(request, model)))
        if kept := await asyncio.to_thread(draft.read):
            return kept
        asker = await asyncio.to_thread(Asker, model)
        script = await self._ask_or_quote(request, asker)
        await asyncio.to_thread(draft.write, script)
        return script

    async def _ask_or_quote(self, request: ScriptRequest, asker: Asker) -> Script:
        options = self.options
        try:
            return await online.script(
                request, asker, part_words=options.part_words, progress=self.progress, fallback=options.fallback
            )
        except TooVague as vague:
            raise _too_vague(vague.questions, asker.usage) from None
        except Transient as error:
            if not (options.fallback and request.material) or self.job.attempts < self.job.max_attempts:
                raise
            return await online.fallen_back(request, asker, error)


@dataclass(frozen=True, slots=True)
class Draft:
    """A script that waits for what is made of it. It counts for the request alone that it was made for."""

    path: Path
    identity: str

    def read(self) -> Script | None:
        try:
            kept = json.loads(self.path.read_bytes())
            return Script.model_validate(kept["script"]) if kept["identity"] == self.identity else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # none yet, half of one, or another program's

    def write(self, script: Script) -> None:
        kept = {"identity": self.identity, "script": script.model_dump(mode="json")}
        self.path.write_text(json.dumps(kept), encoding="utf-8")


def _identity(request: ScriptRequest, model: LanguageModel) -> str:
    material = request.material
    said = [
        str(model), model.url, request.query, request.audience, request.interest, request.language, request.seconds,
        material and [material.title, *(sentence.text for sentence in material.sentences)],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _too_vague(questions: Sequence[str], usage: Usage | None = None) -> NeedsInput:
    numbered = " ".join(f"({number}) {question}" for number, question in enumerate(questions, 1))
    details: dict[str, object] = {"questions": list(questions)}
    if usage:
        details["usage"] = usage.model_dump(mode="json")
    return NeedsInput(
        "the request is too vague to make a script of", remedy=f"Ask again and say: {numbered}", details=details
    )


def _refuse_unspeakable(script: Script) -> None:
    if not (is_english(script.text, script.language) and is_english(script.text)):
        raise _unspeakable(f"the language {script.language}" if script.language else "another language")
    for passage in script.passages:
        if not has_sound(passage):
            raise _unspeakable(f"other letters where it says “{passage[:80]}”")


def _unspeakable(language: str) -> NeedsInput:
    return NeedsInput(
        f"the voice reads English alone, and the script is in {language}",
        remedy="Ask for the script alone: --set generate.modalities=text; or have a language model write it in English.",
    )
