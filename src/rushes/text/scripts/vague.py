"""Requests that say too little: found by rule before anything is asked or paid, with the questions that would help.

The rules are about what a request leaves open, not about its length: `How do tides work?` is clear in four words. They
know English; of other languages a language model judges, where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rushes.errors import RushesError
from rushes.text.lexicon import english_stopwords, tokens, word_list
from rushes.text.scripts.request import ScriptRequest

_FRAME = re.compile(
    r"\b(?:please|can you|could you|would you|i (?:want|need|would like)|i'd like|give me|show me|tell me|teach me|help me|"
    r"help|explain(?: to me)?|describe|summari[sz]e|make|create|write|generate|produce|do|learn|understand|know|talk|"
    r"video|script|lesson|lecture|presentation|talk|explanation|overview|introduction|summary|content|story|clip|film|"
    r"about|on|of|for|with|to|me|us|my|our|more|some|any|really|just|short|long|good|nice|cool|quick|interesting|fun)\b",
    re.IGNORECASE,
)
_POINTING = frozenset({"it", "this", "that", "these", "those", "above", "same", "one", "ones", "here", "there"})
_EMPTY, _FIELDS = "empty_en.txt", "fields_en.txt"
"""Words that name nothing, and words that name a whole field."""
_SUBJECT = "What exactly should it explain? Name one subject in a few words."
_WHICH = "Which part of {field} should it be about: one event, one law, one method, one question?"
_MEANT = "What does “{word}” stand for? Send the text with the request, or name it in words."
_AUDIENCE = "Who is it for, and what do they know already?"


class TooVague(RushesError):
    """A request from which nothing of use could be made. `questions` are what must be known first."""

    def __init__(self, questions: Sequence[str]) -> None:
        super().__init__("the request is too vague to make a script of")
        self.questions = tuple(questions)


def questions(request: ScriptRequest) -> tuple[str, ...]:
    """What to ask whoever asked; nothing where the request is clear, or material says what it is about."""
    if request.material or not request.query:
        return ()
    left = _content(request.query)
    if not set(left) <= word_list(_EMPTY) | word_list(_FIELDS):
        return ()
    fields = [word for word in left if word in word_list(_FIELDS)]
    pointing = [word for word in tokens(request.query) if word in _POINTING]
    asked = [_WHICH.format(field=fields[-1])] if fields else [_SUBJECT]
    if pointing and not fields:
        asked.insert(0, _MEANT.format(word=pointing[0]))
    return tuple(asked if request.audience else [*asked, _AUDIENCE])


def _content(query: str) -> list[str]:
    """The words that could name a subject."""
    bare = _FRAME.sub(" ", query.replace("’", "'"))
    return [
        word for word in tokens(bare) if word not in english_stopwords() | _POINTING and any(map(str.isalpha, word))
    ]
