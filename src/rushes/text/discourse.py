"""What a sentence does in a talk, read off its wording: opens a subject, states the intent, greets, advertises.

The patterns are English, gathered from talks with chapters set by people; other languages go without these hints.
"""

from __future__ import annotations

import re

_LEAD = r"(?:(?:so|okay|ok|all right|alright|right|now|well|and|but|yeah|great|cool|um|uh),? )*"
_WILL = r"(?:i|we)(?:'m|'re|'ll| am| are| will|'d| would)?(?: also| now| just| quickly)*"
_TREAT = r"(?:talk|cover|discuss|move|start|begin|turn|look|go over|show|mention|explain|see|take)"

_OPENING = re.compile(
    _LEAD + r"(?:"
    r"let(?:'s| us)(?: now| also| quickly| just)? (?:talk|look|start|move|turn|begin|go|take|get|switch|jump|dive|see)|"
    r"let me (?:talk|start|turn|move|begin|tell|show|go|explain|switch)|"
    r"(?:the|our|my) (?:next|second|third|fourth|fifth|final|last) |next\b|another (?:thing|topic|question|point)|moving on|"
    rf"{_WILL} (?:want|wanted|like|going|gonna)(?: to)?(?: now| also| just| quickly)* {_TREAT}|"
    rf"{_WILL} {_TREAT} (?:about|at|on|with|to)\b|"
    r"(?:that|this) (?:brings|leads|takes) (?:me|us)|"
    r"(?:to|in) (?:start|begin|summari[sz]e|summary|conclude|conclusion|sum up|wrap up|finish)|"
    r"finally|first(?:ly| of all)?\b|lastly|turning to)",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"(?:okay|ok|all right|alright|right|now|great|cool|another|thank you|thanks|welcome|hello|here(?:'s| is| are)|"
    r"(?:so )?what (?:is|are|about)|(?:so )?how (?:do|does|can|about)|speaking of|second(?:ly)?|third(?:ly)?|question)\b",
    re.IGNORECASE,
)
_CONTINUING = re.compile(
    r"(?:and|but|it|it's|that|that's|if|because|or|then|they|he|she|you|this|which|also|these|those|its|their)\b",
    re.IGNORECASE,
)
INTENT = re.compile(
    r"\b(?:today (?:we|i)(?:'re|'ll|'m| are| am| will)?|"
    r"in this (?:video|talk|lecture|episode|tutorial|lesson|session|course|clip|part)|"
    r"(?:we're|we are|i'm|i am) going to (?:talk|look|learn|discuss|cover|explain|walk|show|build|make)|"
    r"(?:we|i)(?:'ll| will) (?:look|learn|talk|cover|discuss|show|explain|walk|build|make)|"
    r"this (?:video|talk|lecture|episode|tutorial|lesson|session) (?:is|covers|shows|explains|looks))\b",
    re.IGNORECASE,
)
GREETING = re.compile(
    r"^(?:hello|hi|hey|good (?:morning|afternoon|evening)|welcome|thank you|thanks|my name is|i'm [A-Z]\w+ and)\b",
    re.IGNORECASE,
)
PROMOTION = re.compile(
    r"\b(?:subscribe|sponsor(?:ed|s)?|patreon|like button|link in the description|links? below|promo code|discount|"
    r"notification|sign up|newsletter|hit the bell|merch|leave a comment|comments? below|see you (?:next|in the next)|"
    r"thanks for watching|thank you for watching)\b",
    re.IGNORECASE,
)
LEANING = re.compile(
    r"^(?:it|it's|that|that's|this|these|those|they|they're|he|he's|she|she's|which|there|here|his|her|their|him|them|"
    r"such|so|then|but|and|or|because|also|otherwise|instead|again|still|yes|no|yeah|okay|if so|same|neither|both|"
    r"none|another|the other|the latter|the former|the second|the third|for instance|for example|as a result)\b",
    re.IGNORECASE,
)
"""A sentence that leans on the one before it: out of its place it says little."""
WEIGHTY = re.compile(
    r"\b(?:important|key|crucial|essential|main|reason|because|therefore|means? that|the point|in short|in summary|"
    r"in other words|called|is defined|known as|the problem|the solution|the result|turns out|remember|never|always|"
    r"must|the idea|the trick|the difference|consequence|conclusion|rule)\b",
    re.IGNORECASE,
)


def opening(text: str) -> float:
    """How much it sounds like the first sentence of a new subject: -0.3 to 1."""
    said = text.replace("’", "'").lstrip('"“-– ')
    if _OPENING.match(said):
        return 1.0
    if _TURN.match(said):
        return 0.5
    return -0.3 if _CONTINUING.match(said) else 0.0
