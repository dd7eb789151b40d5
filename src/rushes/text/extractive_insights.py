"""The insights template offline: eight fields filled with what is said and named, and nothing else.

Addresses come from the description and transcript, technologies from known names and from how names of software look,
steps from sentences that order or command, answers from the sentences after a question or those that define a term.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from rushes.documents import Insights, Question
from rushes.text.discourse import INTENT
from rushes.text.extractive import Extract
from rushes.text.fillers import without_fillers
from rushes.text.lexicon import Lexicon
from rushes.text.phrases import headline

NOT_AVAILABLE = "N/A"
NOTE = (
    "The insights were filled without a language model: quoted from the talk, its description and its title. "
    "What was not found there is N/A or empty."
)
FEW_QUESTIONS = "Only {count} questions could be answered in the speaker's own words; the template asks for 10 to 15."

_ADDRESS = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"'()\[\]{}]+|\b(?:github|gitlab)\.com/[\w.\-]+/[\w.\-]+", re.IGNORECASE
)
_CODE_HOST = re.compile(r"(?:github|gitlab|bitbucket|codeberg|sourceforge|gist)\b", re.IGNORECASE)
_DEMO_HOST = re.compile(
    r"demo|\.run\.app|\.web\.app|vercel\.app|netlify\.app|herokuapp|pages\.dev|github\.io|playground", re.IGNORECASE
)
_NAME = re.compile(r"\b(?:[A-Z][a-z]+[A-Z]\w*|[A-Z]{2}[A-Z0-9]*|[A-Za-z]+\.(?:js|io|ai)|[A-Z][A-Za-z]*\d+)\b")
_STEP = re.compile(
    r"^(?:(?:so|okay|now|and|then),? )*(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|finally|lastly|after that|"
    r"step \w+|"
    r"(?:now |then )?(?:let's|let us|we(?:'ll| will)?|i(?:'ll| will)?|you(?:'ll| will| can| need to| have to)?) "
    r"(?:add|build|call|change|choose|click|clone|configure|connect|copy|create|define|deploy|download|edit|enable|enter|"
    r"export|fill|go to|import|install|make|mix|open|paste|pick|press|pull|push|put|run|select|set|start|type|update|use|"
    r"write)\b|"
    r"(?:add|build|call|change|choose|click|clone|configure|connect|copy|create|define|deploy|download|edit|enable|enter|"
    r"export|import|install|mix|open|paste|pick|press|run|select|set up|type|update|use|write)\b)",
    re.IGNORECASE,
)
_BUILT = re.compile(
    r"\b(?:we|i|you)(?:'ll|'re| will| are| am|'m)?(?: going to)? "
    r"(?:build|make|create|write|develop|implement|show|bake|set up)\b",
    re.IGNORECASE,
)
_RHETORICAL = re.compile(r"^(?:right|okay|ok|yes|no|really|you know|huh|see|isn't it|makes sense)\b", re.IGNORECASE)
_DEFINITION = re.compile(
    r"^(?P<term>(?:an? |the )?[A-Za-z][\w-]*(?: [\w-]+){0,2}) (?P<verb>is|are|means) (?:an? |the |like |what |nothing but )",
    re.IGNORECASE,
)
_MOST_STEPS, _MOST_NAMES, _MOST_QUESTIONS, _FEWEST_QUESTIONS = 20, 25, 15, 10
_SHORTEST_QUESTION, _SHORTEST_ANSWER = 4, 6
"""Words."""


def insights(extract: Extract) -> tuple[Insights, tuple[str, ...]]:
    """Return the eight fields, and notes on their limits."""
    questions = _questions(extract)
    filled = Insights(
        chapter_title=extract.title(),
        introduction_context=extract.prose(extract.overview(3)),
        what_will_build=_what_will_build(extract),
        technologies_and_services=tuple(_technologies(extract)),
        how_we_did_it=tuple(_steps(extract)),
        source_code_url=_address(extract, _CODE_HOST),
        demo_url=_address(extract, _DEMO_HOST),
        qa_segment=tuple(questions),
    )
    few = (FEW_QUESTIONS.format(count=len(questions)),) if len(questions) < _FEWEST_QUESTIONS else ()
    return filled, (NOTE, *few)


def _texts(extract: Extract) -> list[str]:
    return [sentence.text.replace("’", "'") for sentence in extract.request.sentences]


def _material(extract: Extract) -> str:
    video = extract.request.video
    return " ".join([video.title, video.description or "", *_texts(extract)])


def _what_will_build(extract: Extract) -> str:
    """The first sentences in which the speaker says what will be made or shown."""
    told = [text for text in _texts(extract) if INTENT.search(text) or _BUILT.search(text)]
    return " ".join(without_fillers(text) for text in told[:2]) or NOT_AVAILABLE


@cache
def _known_names() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Names of technologies with how to find them. One marked `=` is also a plain word, and counts as it is written."""
    path = Path(__file__).with_name("data") / "technologies.txt"
    known = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name = line.removeprefix("=")
        flags = re.NOFLAG if line.startswith("=") else re.IGNORECASE
        known.append((name, re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w+])", flags)))
    return tuple(known)


def _technologies(extract: Extract) -> list[str]:
    """Known names and such as look like software's, most often said first."""
    material = _material(extract)
    said = Counter(match[0] for match in _NAME.finditer(material))
    found = Counter({name: count for name, count in said.items() if count > 1})
    for name, pattern in _known_names():
        count = len(pattern.findall(material))
        if count:
            found[name] = max(count, found[name])
    distinct = {name.lower(): name for name in sorted(found, key=lambda name: (found[name], name))}
    return sorted(distinct.values(), key=lambda name: (-found[name], name))[:_MOST_NAMES]


def _steps(extract: Extract) -> list[str]:
    told = [text for text in _texts(extract) if _STEP.match(text) and not text.endswith("?")]
    return [without_fillers(text) for text in told if len(text.split()) >= _SHORTEST_QUESTION][:_MOST_STEPS]


def _address(extract: Extract, host: re.Pattern[str]) -> str:
    found = (match[0].rstrip(".,;:!?") for match in _ADDRESS.finditer(_material(extract)))
    return next((address for address in found if host.search(address)), NOT_AVAILABLE)


def _questions(extract: Extract) -> list[Question]:
    """Terms that the talk defines, then questions asked in it, then its chapters; each question once."""
    distinct: dict[str, Question] = {}
    for question in [*_defined(extract), *_asked(extract), *_about_chapters(extract)]:
        distinct.setdefault(question.question.lower(), question)
    return list(distinct.values())[:_MOST_QUESTIONS]


def _asked(extract: Extract) -> Iterator[Question]:
    """A question of the speaker's, answered by what they say next."""
    texts = _texts(extract)
    for at, text in enumerate(texts[:-1]):
        answer = _answer(texts[at + 1 : at + 3])
        if _stands_alone(text, extract.request.lexicon) and answer:
            yield Question(question=without_fillers(text), answer=answer)


def _stands_alone(text: str, lexicon: Lexicon) -> bool:
    """A question that names something; `which one was it?` asks about what went before."""
    long_enough = len(text.split()) >= _SHORTEST_QUESTION
    return text.endswith("?") and long_enough and not _RHETORICAL.match(text) and bool(lexicon.naming(text))


def _answer(following: Iterable[str]) -> str | None:
    said = [text for text in following if not text.endswith("?")]
    answer = " ".join(map(without_fillers, said))
    return answer if len(answer.split()) >= _SHORTEST_ANSWER else None


def _defined(extract: Extract) -> Iterator[Question]:
    """`A branch is a name for a commit` answers what a branch is, if branches are a subject."""
    lexicon = extract.request.lexicon
    subjects = {word for topic in extract.phrases.topics(3 * _MOST_QUESTIONS) for word in lexicon.content(topic)}
    for text in _texts(extract):
        match = _DEFINITION.match(text) if lexicon.english else None
        if match and subjects & set(lexicon.naming(match["term"])):
            verb = "are" if match["verb"].lower() == "are" else "is"
            term = match["term"][:1].lower() + match["term"][1:] if match["term"][1:].islower() else match["term"]
            yield Question(question=f"What {verb} {term}?", answer=without_fillers(text))


def _about_chapters(extract: Extract) -> Iterator[Question]:
    if not extract.request.lexicon.english:
        return
    for section in extract.sections:
        chosen = extract.ranking.best_within(section.first, section.last, 2)
        if chosen:
            yield Question(question=f"What is said about {headline(section.title)}?", answer=extract.prose(chosen))
