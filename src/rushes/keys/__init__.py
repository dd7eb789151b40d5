"""Canonical keys of addresses: under which name a video is known, however it is written.

`youtube:ID` by our own rule, `url:SHA1` of the normal form of any other address. No network and no yt-dlp: the
extractor's own id joins as an alias once the video is fetched.
"""

from rushes.keys.addresses import BadAddress
from rushes.keys.requests import request_in, source_of_request
from rushes.keys.sources import is_address, is_name_of_video, source_of

__all__ = ["BadAddress", "is_address", "is_name_of_video", "request_in", "source_of", "source_of_request"]
