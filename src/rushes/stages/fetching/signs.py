"""The table of the words by which sites and yt-dlp tell what is wrong, each with its class of failure and its remedy.

Phrases were taken from the sources of yt-dlp 2026.10.26; the order matters, the first that matches counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rushes.errors import ErrorClass

COOKIES = "Export the cookies of a browser that may watch it, and set RUSHES_COOKIES to that file."
NOT_A_BOT = (
    "Set RUSHES_COOKIES to a browser's exported cookies, see that `rushes doctor` finds a JavaScript runtime, "
    "or fetch from another address (RUSHES_PROXY)."
)
UPDATE = "Update yt-dlp (`pip install -U yt-dlp`): sites change, and its extractors follow."
JAVASCRIPT = "Install a JavaScript runtime: `pip install deno`."
FFMPEG = "Install FFmpeg with `pip install 'rushes[video]'`, or set RUSHES_FFMPEG."
SPACE = "Make room on the disk of RUSHES_HOME, then run the same again."
RIGHTS = "Let this user write to RUSHES_HOME, then run the same again."
PROXY = "Check RUSHES_PROXY."
LATER = "Run the same again after that."
NOT_PUBLIC = "Nothing but public hosts is fetched from for others, and those that RUSHES_ALLOWED_HOSTS names."
FOR_OTHERS = {
    COOKIES: "Nothing but what everybody may watch is fetched for others.",
    PROXY: "Report this as a fault of Rushes: its own proxy failed.",
    NOT_A_BOT: "Let the worker rest, or run it where its address is not suspect: for others it uses no cookies.",
}
"""Remedies, and what they are for items of strangers."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Words in a message, and what they mean."""

    words: re.Pattern[str]
    error_class: ErrorClass
    remedy: str | None = None
    environment: bool = False


def _sign(words: str, error_class: ErrorClass, remedy: str | None = None, *, environment: bool = False) -> Sign:
    return Sign(re.compile(words, re.IGNORECASE), error_class, remedy, environment)


_NEEDS, _GONE, _REST = ErrorClass.NEEDS_INPUT, ErrorClass.PERMANENT, ErrorClass.RATE_LIMITED

OURS = (
    _sign(r"no space left|disk quota exceeded", _NEEDS, SPACE, environment=True),
    _sign(r"unable to (open for writing|write data|create directory)", _NEEDS, RIGHTS, environment=True),
    _sign(r"(ffmpeg|ffprobe).{0,40}(not found|not be found|not installed)", _NEEDS, FFMPEG, environment=True),
    _sign(r"no supported javascript runtime|unable to solve js challenge", _NEEDS, JAVASCRIPT, environment=True),
    _sign(r"pycryptodomex not found|missing dependenc", _NEEDS, "pip install 'rushes[video]'", environment=True),
    _sign(r"failed to load cookies", _NEEDS, "Check RUSHES_COOKIES: a Netscape cookie file.", environment=True),
    _sign(
        r"not a bot|captcha challenge|unusual traffic|automated (requests|queries)", _NEEDS, NOT_A_BOT, environment=True
    ),
    _sign(r"rate.?limit|too many requests|isn.t available, try again later|play limit", _REST),
)
"""Faults of this machine or of its standing with a host: they win over everything else, whatever carried them."""

THEIRS = (
    _sign(r"premieres? in|will begin|not (yet )?(started|begun)|(starts|begins) (in|at) |upcoming", _NEEDS, LATER),
    _sign(r"cf-mitigated|anti-bot|impersonat", _NEEDS, COOKIES),
    _sign(r"video.?password|password.protected", _NEEDS, "Fetch it yourself and give Rushes the file."),
    _sign(r"private (video|playlist)|members?[- ]only|for members|join this channel", _NEEDS, COOKIES),
    _sign(r"confirm your age|age.?(restrict|verif)|adult verification", _NEEDS, COOKIES),
    _sign(
        r"(sign|log)(ged)?[- ]?in\b|\blogin\b|registered users|subscri(bers|ption)|premium|authenticat", _NEEDS, COOKIES
    ),
    _sign(r"purchase|payment|\brent(al)?\b|does not have access|an account", _NEEDS, COOKIES),
    _sign(r"(available|blocked) (in|from|to) your (country|location|region)|geo.?(restrict|block)", _GONE),
    _sign(r"\bdrm\b", _GONE),
    _sign(
        r"unavailable|no longer available|removed|deleted|terminated|copyright|does not exist|expired|has ended", _GONE
    ),
    _sign(r"no (supported )?javascript", _NEEDS, JAVASCRIPT, environment=True),
)
"""What sites say of one video."""
