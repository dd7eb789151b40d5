# noqa: INP001  (a script, not a package)
"""Makes the README's picture: the index page of a real `rushes demo`, as Chromium shows it.

Run it as `.venv/bin/python docs/pictures/make.py`; it needs Chromium, which Debian packages as `chromium`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).resolve().parent
WINDOW = (1200, 1060)
COLOURS = 96
"""The page has a dozen; the rest are the edges of letters. A third of the bytes that full colour takes."""


def main() -> int:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.stderr.write("There is no Chromium on the PATH: apt install chromium\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        subprocess.run([Path(sys.executable).with_name("rushes"), "demo", "--fresh", "--out", out], check=True)
        shot = Path(folder) / "shot.png"
        photograph(browser, out / "index.html", shot, Path(folder) / "profile")
        shrink(shot, PICTURES / "demo.png")
    return 0


def photograph(browser: str, page: Path, picture: Path, profile: Path) -> None:
    """Take a picture of a page at twice its size, for sharp text on any screen."""
    width, height = WINDOW
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2"]
    switches += [f"--window-size={width},{height}", f"--user-data-dir={profile}", f"--screenshot={picture}"]
    subprocess.run([browser, *switches, page.as_uri()], check=True, stderr=subprocess.DEVNULL)


def shrink(shot: Path, picture: Path) -> None:
    """Keep the picture small enough for a README: a palette instead of full colour."""
    with Image.open(shot) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
