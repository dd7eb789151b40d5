"""Which container formats FFmpeg's libraries may open, and how.

Some of FFmpeg's formats are lists of other files or addresses (HLS, DASH, concat, SDP, image sequences). A hostile
upload named `talk.mp4` could use them to read this machine's files or network. So every input is opened with a list of
formats that hold their own data, and with the `file` protocol alone.
"""

from __future__ import annotations

from pathlib import Path

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,gif,h264,hevc,image2pipe,ivf,jpeg_pipe,m4v,matroska,mjpeg,mov,mp3,mpeg,"
    "mpegts,mpegvideo,mxf,nut,obu,ogg,png_pipe,rm,tta,w64,wav,webm,webp_pipe,wtv,wv,yuv4mpegpipe"
)
PROTOCOLS = "file,pipe"


INPUT_OPTIONS = ("-protocol_whitelist", PROTOCOLS, "-format_whitelist", FORMATS)
"""What FFmpeg's command line is given with every input, before its `-i`."""


def open_options() -> dict[str, str]:
    """What `av.open` is given with every file."""
    return {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}


def input_arguments(path: Path) -> list[str]:
    """FFmpeg's arguments that open a media file safely. `file:` keeps a name like `http:x` from being an address."""
    return [*INPUT_OPTIONS, "-i", f"file:{path}"]
