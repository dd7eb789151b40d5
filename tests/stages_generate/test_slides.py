"""Slides of any text in any look: everything inside the margins, readable, nothing drawn that the typeface lacks."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageColor

from rushes.media.slides import MARGIN, SIZE, Look, Slide, draw
from rushes.stages.generating.looks import LOOKS
from tests.demo.test_slides import luminance

LONG = "A sentence that goes on and on about bread, and then about salt, until nobody can remember how it began. "
SLIDES = {
    "long title": Slide(LONG * 3, subtitle=LONG * 2),
    "long heading": Slide(LONG * 2, ("A point.",), subtitle=LONG, place="12 / 24"),
    "long points": Slide("A heading", (LONG,) * 5, subtitle="Bread", place="1 / 2"),
    "too many points": Slide("A heading", (LONG * 2,) * 12, subtitle="Bread", place="1 / 2"),
    "one endless word": Slide("W" * 300, ("M" * 500, "i" * 400), subtitle="W" * 200, place="1 / 2"),
    "one endless title": Slide("W" * 500, subtitle="M" * 500),
    "a book": Slide(LONG * 2_000, ("i" * 200_000, LONG * 2_000), subtitle="i" * 200_000, place="1 / 2"),
    "a book's title": Slide("i" * 200_000, subtitle=LONG * 2_000),
}


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("slide", SLIDES.values(), ids=SLIDES)
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_whatever_is_written_stays_inside_the_margins(slide: Slide, look: Look) -> None:
    pixels = np.asarray(draw(slide, look)).astype(int)
    ground = np.array(ImageColor.getrgb(look.paper if slide.points else look.cover or look.accent))
    marked = np.abs(pixels - ground).sum(axis=2) > 30
    bar = 24 if slide.points else 0
    assert marked[100 : SIZE[1] - 100].any()
    assert not marked[:, bar : MARGIN - 4].any()
    assert not marked[:, SIZE[0] - MARGIN + 4 :].any()
    assert not marked[:40, bar:].any()
    assert not marked[SIZE[1] - 40 :, bar:].any()
    if slide.points:
        assert not marked[SIZE[1] - 112 : SIZE[1] - 84, bar:].any(), "points run into the foot"


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_every_look_can_be_read(look: Look) -> None:
    assert contrast(look.ink, look.paper) >= 7
    assert contrast(look.faint, look.paper) >= 4.5
    assert contrast(look.cover_ink or look.paper, look.cover or look.accent) >= 4.5


def test_what_the_typeface_lacks_is_left_out() -> None:
    look = LOOKS["clean"]
    plain = np.asarray(draw(Slide("Bread", ("Salt comes last",)), look))

    assert (np.asarray(draw(Slide("Bread🍞", ("Salt comes last日本",)), look)) == plain).all()


def test_letters_with_accents_are_drawn_however_they_are_composed() -> None:
    look = LOOKS["clean"]

    composed, decomposed = (np.asarray(draw(Slide(title), look)) for title in ("Café", "Cafe\u0301"))
    assert (composed == decomposed).all()
    assert (composed != np.asarray(draw(Slide("Cafe"), look))).any()
