"""The offline engine: a summary, and the insights template where it is asked for, without a model or a network."""

from __future__ import annotations

from rushes.documents import Summary
from rushes.text.extractive import Extract, summary
from rushes.text.extractive_insights import insights
from rushes.text.request import Request


def summarize(request: Request) -> Summary:
    """Summarize a transcript that has sentences. An hour of talk takes about 0.2 s of one core."""
    extract = Extract(request)
    made = summary(extract)
    if request.template != "insights":
        return made
    filled, notes = insights(extract)
    return made.model_copy(update={"template": "insights", "insights": filled, "notes": (*made.notes, *notes)})
