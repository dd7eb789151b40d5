"""Slides as a viewer sees them: everything inside the margins, readable, in the talk's colour."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageColor

from rushes.demo.talks import read_talks
from rushes.media.slides import MARGIN, PAPER, SIZE, Look, Slide, draw

SLIDES = [(slide, talk.accent) for talk in read_talks() for slide in talk.deck]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [value / 255 for value in ImageColor.getrgb(colour)[:3]]
    red, green, blue = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("slide", "accent"), SLIDES)
def test_text_stays_inside_the_margins(slide: Slide, accent: str) -> None:
    pixels = np.asarray(draw(slide, Look(accent))).astype(int)
    ground = np.array(ImageColor.getrgb(PAPER if slide.points else accent))
    marked = np.abs(pixels - ground).sum(axis=2) > 30
    bar = 24 if slide.points else 0
    assert marked[100 : SIZE[1] - 100].any()
    assert not marked[:, bar : MARGIN - 4].any()
    assert not marked[:, SIZE[0] - MARGIN + 4 :].any()
    assert not marked[:48, bar:].any()
    assert not marked[SIZE[1] - 44 :, bar:].any()


@pytest.mark.parametrize(("slide", "accent"), [(slide, accent) for slide, accent in SLIDES if slide.points])
def test_points_do_not_run_into_the_foot(slide: Slide, accent: str) -> None:
    pixels = np.asarray(draw(slide, Look(accent))).astype(int)
    band = pixels[SIZE[1] - 120 : SIZE[1] - 84, 24:]
    assert np.abs(band - np.array(ImageColor.getrgb(PAPER))).sum(axis=2).max() <= 30


@pytest.mark.parametrize("accent", [talk.accent for talk in read_talks()])
def test_large_text_on_the_title_slide_has_enough_contrast(accent: str) -> None:
    assert (luminance(PAPER) + 0.05) / (luminance(accent) + 0.05) >= 3


def test_a_long_title_is_broken_into_lines() -> None:
    slide = Slide("A title that goes on and on until it cannot possibly fit on a single line of its slide")
    marked = np.asarray(draw(slide, Look("#000000"))).sum(axis=2) > 300
    assert not marked[:, SIZE[0] - MARGIN :].any()
    assert marked.any(axis=1).sum() > 150
