"""Take out of a spoken sentence what nobody would write: openings, hesitations, marks of captions.

Words are only ever left out, never changed or added, so a cleaned sentence can be found in its transcript.
"""

from __future__ import annotations

import re

_MARK = re.compile(r"\[[^\]]{1,40}\]|\((?:applause|laughter|music|laughs|inaudible)\)|>{2,}|[♪♫]+", re.IGNORECASE)
_HESITATION = re.compile(r"(?:,\s*)?\b(?:um+|uh+|erm|hmm|ähm|euh)\b,?", re.IGNORECASE)
_ASIDE = re.compile(r",\s*(?:you know|i mean|sort of|kind of|if you will|right|like|well)\s*,", re.IGNORECASE)
_LAST_ASIDE = re.compile(r",\s*(?:right|okay|you know|or whatever|or something)\s*(?=[.?!]$)", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:so|and|but|okay|ok|all right|alright|well|yeah|yes|right|now|you know|i mean|anyway|basically|actually|again|"
    r"also|oh|look|see|then)\s*,\s*|(?:okay|ok|all right|alright|yeah|anyway) (?=so\b)|(?:and|but|so) (?=\w+ \w+))+",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"\b(\w+)(?: \1\b)+(?<!\bthat that)(?<!\bhad had)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?])")


def without_fillers(text: str) -> str:
    """The sentence cleaned, with a capital first letter. One that the captions left open ends in an ellipsis."""
    for pattern, instead in (
        (_MARK, " "),
        (_HESITATION, ""),
        (_ASIDE, ","),
        (_LAST_ASIDE, ""),
        (_REPEATED, r"\1"),
        (_SPACE, " "),
        (_BEFORE_MARK, r"\1"),
    ):
        text = pattern.sub(instead, text)
    text = text.strip(" ,;–-")
    shorter = _LEAD.sub("", text)
    return _closed((shorter or text).strip())


def _closed(text: str) -> str:
    if not text:
        return text
    text = text[0].upper() + text[1:]
    return text if re.search(r"[.!?…。！？।॥؟۔\"”’)」』]$", text) else f"{text} …"
