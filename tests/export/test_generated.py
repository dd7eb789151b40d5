"""Generated scripts, recordings and films in exports: they can be read, heard and watched, and their words stay words."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5lib
import pytest

from rushes.batches.export import Documents, ExportedItem, Format, ResultsFolder
from rushes.documents import Chapter, Production, Saving, Script, ScriptSection, StepTime
from rushes.model import ItemStatus

from .conftest import HOSTILE, MakeItem, batch_of, export, one_by_one, picture

PARSER = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
FILM = b"\0\0\0\x18ftypmp42" + bytes(200_000)


def script(text: str | None = None) -> Script:
    return Script(
        title=text or "Why sourdough rises",
        hook=text or "Bread needs time.",
        sections=(
            ScriptSection(
                title=text or "Salt", narration=text or "Salt slows the yeast.", points=("Salt slows",), seconds=4
            ),
            ScriptSection(title="Heat", narration="Steam helps.", points=("Steam",), seconds=3),
        ),
        takeaways=(text or "Wait.",),
        language="en", engine="offline", notes=("Quoted.",),
    )  # fmt: skip


def production() -> Production:
    chapters = (Chapter(title="Salt", start=2.5, end=6), Chapter(title="Heat", start=66, end=70))
    return Production(
        modalities=("audio", "video"), style="clean", duration=70, voice="a voice", chapters=chapters,
        steps=(StepTime(step="script", seconds=0.1),), saved=Saving(),
    )  # fmt: skip


@pytest.fixture
def generated(tmp_path: Path) -> Any:
    def make(position: int = 1, text: str | None = None, **facts: Any) -> ExportedItem:
        folder = tmp_path / "storage" / f"generated-{position}"
        folder.mkdir(parents=True)
        script(text).write(folder / "script.json")
        production().write(folder / "production.json")
        contents = {
            "video.mp4": FILM, "video.jpg": picture(), "narration.m4a": b"sound", "narration.vtt": b"WEBVTT\n",
        }  # fmt: skip
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        documents = Documents(
            script=folder / "script.json", production=folder / "production.json", film=folder / "video.mp4",
            poster=folder / "video.jpg", narration=folder / "narration.m4a",
            narration_captions=folder / "narration.vtt",
        )  # fmt: skip
        item = {"position": position, "given": "notes.md", "key": f"file:{position}", "status": ItemStatus.COMPLETED}
        return ExportedItem(**{**item, "documents": documents, **facts})

    return make


async def written(root: Path, *items: ExportedItem) -> Path:
    results = ResultsFolder(root)
    await results.write_index(batch_of(items), one_by_one(items))
    return root


async def test_the_folder_holds_what_was_made_and_is_named_for_its_script(generated: Any, tmp_path: Path):
    root = await written(tmp_path / "out", generated())

    folder = root / "001-why-sourdough-rises"
    assert {path.name for path in folder.iterdir()} == {
        "item.json", "script.html", "script.md", "script.json", "video.mp4", "video.jpg", "narration.m4a", "narration.vtt",
    }  # fmt: skip
    assert (folder / "video.mp4").read_bytes() == FILM
    assert Script.read(folder / "script.json") == script()
    record = json.loads((folder / "item.json").read_text())
    assert record["title"] == "Why sourdough rises"
    assert record["production"]["duration"] == 70
    assert set(record["files"]) == {path.name for path in folder.iterdir()}


async def test_what_is_no_longer_made_is_taken_away(generated: Any, tmp_path: Path):
    item = generated()
    root = await written(tmp_path / "out", item)
    less = replace(item, notes=("again",), documents=replace(item.documents, film=None, poster=None))

    await written(root, less)

    assert not (root / "001-why-sourdough-rises" / "video.mp4").exists()
    assert (root / "001-why-sourdough-rises" / "narration.m4a").exists()


async def test_the_page_plays_the_film_with_its_captions_and_tells_the_script(generated: Any, tmp_path: Path):
    root = await written(tmp_path / "out", generated())

    text = (root / "001-why-sourdough-rises" / "script.html").read_text()
    tree = PARSER.parse(text)
    (film,) = tree.iter("video")
    assert (film.get("src"), film.get("poster")) == ("video.mp4", "video.jpg")
    (track,) = tree.iter("track")
    assert track.get("src", "").startswith("data:text/vtt;base64,")
    assert "media-src 'self' file: data:" in html.unescape(text)
    assert "script" not in {element.tag for element in tree.iter()}
    shown = " ".join(" ".join(tree.itertext()).split())
    assert "Bread needs time. 0:02 Salt Salt slows the yeast. 1:06 Heat Steam helps. To take away Wait." in shown


async def test_sound_alone_is_played_too(generated: Any, tmp_path: Path):
    item = generated()
    item = replace(item, documents=replace(item.documents, film=None, poster=None))

    root = await written(tmp_path / "out", item)

    tree = PARSER.parse((root / "001-why-sourdough-rises" / "script.html").read_text())
    assert [sound.get("src") for sound in tree.iter("audio")] == ["narration.m4a"]
    index = PARSER.parse((root / "index.html").read_text())
    assert [sound.get("src") for sound in index.iter("audio")] == ["001-why-sourdough-rises/narration.m4a"]


async def test_the_index_plays_it_and_leads_to_the_script(generated: Any, tmp_path: Path):
    root = await written(tmp_path / "out", generated())

    tree = PARSER.parse((root / "index.html").read_text())
    (film,) = tree.iter("video")
    assert film.get("preload") == "none"
    links = {link.get("href") for link in tree.iter("a")}
    folder = "001-why-sourdough-rises"
    assert {f"{folder}/{name}" for name in ("script.html", "script.md", "video.mp4", "narration.m4a")} <= links
    assert [image.get("src") for image in tree.iter("img")] == [f"{folder}/video.jpg"]


async def test_a_hostile_script_stays_text(generated: Any, tmp_path: Path):
    root = await written(tmp_path / "out", generated(text=HOSTILE))

    (folder,) = (path for path in root.iterdir() if path.is_dir())
    for page in (folder / "script.html", root / "index.html"):
        tags = {element.tag for element in PARSER.parse(page.read_text()).iter()}
        assert not {"script", "img" if page.parent == folder else "script"} & tags
    markdown = (folder / "script.md").read_text()
    assert "<script>" not in markdown.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\[link\]", markdown)


async def test_a_recap_is_on_its_summary_s_page(generated: Any, make_item: MakeItem, tmp_path: Path):
    talk, recap = make_item(1, "A talk"), generated(2)
    made = {name: getattr(recap.documents, name) for name in ("script", "production", "film", "poster")}

    root = await written(tmp_path / "out", replace(talk, documents=replace(talk.documents, **made)))

    folder = root / "001-a-talk"
    names = {path.name for path in folder.iterdir()}
    assert {"summary.html", "summary.md", "script.md", "video.mp4", "thumbnail.jpg"} <= names
    assert "script.html" not in names
    tree = PARSER.parse((folder / "summary.html").read_text())
    assert [film.get("src") for film in tree.iter("video")] == ["video.mp4"]
    assert "Salt slows the yeast." in (folder / "summary.md").read_text()


async def test_a_zip_holds_the_same_and_presses_no_film(generated: Any):
    archive = zipfile.ZipFile(io.BytesIO(await export(Format.ZIP, [generated()])))

    film = archive.getinfo("evening-talks/001-why-sourdough-rises/video.mp4")
    assert archive.read(film) == FILM
    assert film.compress_type == zipfile.ZIP_STORED
    assert archive.testzip() is None


@pytest.mark.parametrize("form", [Format.MARKDOWN, Format.HTML, Format.JSON, Format.JSON_LINES])
async def test_documents_of_the_whole_batch_hold_the_script(generated: Any, form: Format):
    document = (await export(form, [generated()])).decode()

    assert "Salt slows the yeast." in document
    assert "<video" not in document


async def test_a_pdf_holds_the_script(generated: Any):
    from pypdf import PdfReader

    pages = PdfReader(io.BytesIO(await export(Format.PDF, [generated()]))).pages
    text = " ".join(page.extract_text() for page in pages)

    assert "Salt slows the yeast." in text
    assert "1:06 Heat" in text


async def test_a_film_that_is_gone_from_storage_is_named(generated: Any, tmp_path: Path):
    item = generated()
    item.documents.film.unlink()

    root = await written(tmp_path / "out", item)

    page = (root / "001-why-sourdough-rises" / "script.html").read_text()
    assert "The video.mp4 could not be read from storage: No such file or directory." in page
    assert "<audio" in page
