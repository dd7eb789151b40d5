"""Whether a text is English, which is all that the packaged voice can read. Where nothing tells, it is taken for English."""

from __future__ import annotations

import unicodedata

from rushes.text.lexicon import english_stopwords, primary, tokens, word_list

ENGLISH = "en"
"""What the packaged voice reads."""
_OTHER_LETTERS = 0.2
"""From this share of letters that are not Latin, a text cannot be read aloud."""
_OTHER_WORDS = 0.12
"""From this share of small words of other languages, it is in one of them."""
_ENOUGH = 15
"""Words, before they tell anything: El Paso and Los Angeles are in English sentences too."""


def is_english(text: str, language: str | None = None) -> bool:
    """Whether an English voice can read the text. `language` is its BCP 47 tag, where that is known."""
    if language:
        return primary(language) == ENGLISH
    letters = [character for character in text if character.isalpha()]
    if sum(map(_is_other, letters)) > _OTHER_LETTERS * len(letters):
        return False
    words = tokens(text)
    if len(words) < _ENOUGH:
        return True
    foreign = sum(word in word_list("small_words_not_en.txt") for word in words)
    return foreign <= _OTHER_WORDS * len(words) or foreign <= sum(word in english_stopwords() for word in words)


def has_sound(text: str) -> bool:
    """Whether there is anything in it that an English voice can say."""
    return any(character.isalnum() and not _is_other(character) for character in text)


def _is_other(letter: str) -> bool:
    return not letter.isascii() and not unicodedata.name(letter, "").startswith("LATIN")
