"""Keep secrets out of whatever is shown, logged or exported: user info and signatures in addresses.

Repetitions are bounded, because the text may be a stranger's: an unbounded pattern could be made to run for hours.
"""

from __future__ import annotations

import re

MASK = "***"
_TELLING = ("key", "url", "proxy", "headers")
_USER_INFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,30}://)[^/?#\s@]{1,512}@", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?P<name>[?&;][^?=&;\s]{0,64}"
    r"(?:sig|signature|token|key|secret|password|passwd|pwd|auth|credential|session|policy|hmac|jwt)[^?=&;\s]{0,64}=)"
    r"[^&#\s'\")\]}]+",
    re.IGNORECASE,
)


def is_telling(name: str) -> bool:
    """Whether what is called so, an option or a setting, may be a secret or hold one."""
    return any(word in name.lower() for word in _TELLING)


def masked(text: str) -> str:
    """The text with user info and the values of telling query parameters in its addresses blotted out."""
    if "@" not in text and "=" not in text:  # most text is talk, and there is much of it
        return text
    return _SECRET_VALUE.sub(rf"\g<name>{MASK}", _USER_INFO.sub(rf"\g<scheme>{MASK}@", text))
