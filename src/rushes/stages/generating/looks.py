"""How slides look in each style, and the deck of a script."""

from __future__ import annotations

from collections.abc import Iterator

from rushes.documents import Script, Style
from rushes.media.slides import Look, Slide
from rushes.text.scripts.glance import at_a_glance

LOOKS: dict[Style, Look] = {
    "clean": Look(accent="#1F6FB2"),
    "dark": Look(
        accent="#5CB3F4", paper="#151922", ink="#EDF0F5", faint="#8F98A8", cover="#0D1118", cover_ink="#F5F7FA"
    ),
    "warm": Look(accent="#B4532A", paper="#FFF8EE", ink="#3B2A1F", faint="#7F6B5A", weight=600),
}
_TAKEAWAYS = "To take away"


def deck(script: Script) -> Iterator[Slide]:
    """A slide for each passage of the script, in their order."""
    count = len(script.sections)
    if script.hook:
        yield Slide(script.title, subtitle=at_a_glance(script.hook))
    for number, section in enumerate(script.sections, 1):
        points = section.points or (at_a_glance(section.narration),)
        yield Slide(section.title, points, subtitle=script.title, place=f"{number} / {count}")
    if script.takeaways:
        yield Slide(_TAKEAWAYS, tuple(map(at_a_glance, script.takeaways)), subtitle=script.title)
