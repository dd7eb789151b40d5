"""Scripts by a language model, with the offline engine behind it where there is material to quote.

A fall-back is named in the script's notes, and what was spent until then is kept.
"""

from __future__ import annotations

from asyncio import to_thread

from rushes.documents import Script
from rushes.errors import Permanent, RushesError
from rushes.text.asking import Asker, TooLong, UnusableAnswer
from rushes.text.model_summary import Progress
from rushes.text.scripts import by_model, extractive
from rushes.text.scripts.request import ScriptRequest


async def script(
    request: ScriptRequest, asker: Asker, *, part_words: int, progress: Progress, fallback: bool = True
) -> Script:
    """Ask a model for a script.

    Args:
        request: what is wanted.
        asker: the model.
        part_words: how many words of material go into one question.
        progress: told before each question.
        fallback: quote the material, if there is any, where the model refuses or twice answers with what cannot be used.

    Raises:
        TooVague: the model asks back.
        Permanent: the answer cannot be used, and there is nothing to fall back on.
        StageError: the service did not answer.
    """
    try:
        return await by_model.script(request, asker, part_words=part_words, progress=progress)
    except (UnusableAnswer, TooLong) as error:
        if not (fallback and request.material):
            raise Permanent(error.reason, remedy="Try another model, or ask for something else") from None
        return await fallen_back(request, asker, error)


async def fallen_back(request: ScriptRequest, asker: Asker, error: RushesError) -> Script:
    """The offline script, which says why it is not the model's."""
    made = await to_thread(extractive.script, request)
    note = f"Quoted offline, because {error.reason[:1].lower()}{error.reason[1:]}."
    return made.model_copy(update={"notes": (note, *made.notes), "usage": asker.usage})
