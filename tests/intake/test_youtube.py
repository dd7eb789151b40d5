"""Every way to write a YouTube video is the same video, and lists of videos are seen to be lists."""

from __future__ import annotations

import pytest

from rushes.keys import BadAddress, source_of

ID = "dQw4w9WgXcQ"

VIDEO = [
    f"https://www.youtube.com/watch?v={ID}",
    f"http://www.youtube.com/watch?v={ID}",
    f"HTTPS://WWW.YOUTUBE.COM/watch?v={ID}",
    f"https://youtube.com/watch?v={ID}&list=PL123456789012&index=3&t=42s",
    f"https://www.youtube.com/watch?list=PL123456789012&v={ID}",
    f"https://www.youtube.com/watch?feature=share&v={ID}#t=10",
    f"https://youtu.be/{ID}",
    f"https://youtu.be/{ID}?si=abc&t=10",
    f"https://youtu.be/{ID}/",
    f"https://www.youtube.com/shorts/{ID}",
    f"https://www.youtube.com/live/{ID}?feature=share",
    f"https://www.youtube.com/embed/{ID}?start=3",
    f"https://www.youtube-nocookie.com/embed/{ID}",
    f"https://m.youtube.com/watch?app=desktop&v={ID}",
    f"https://music.youtube.com/watch?v={ID}&list=RDAMVM",
    f"https://www.youtube.com/v/{ID}",
    f"https://www.youtube.com/e/{ID}",
    f"https://www.youtube.com/vi/{ID}",
    f"https://www.youtube.com/watch/{ID}",
    f"https://www.youtube.com/watch_popup?v={ID}",
    f"https://www.youtube.com/?v={ID}",
    f"https://www.youtube.com/#/watch?v={ID}",
    f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D{ID}%26feature%3Dshare",
    f"https://www.youtube.com/attribution_link?u=https%3A%2F%2Fyoutu.be%2F{ID}",
    f"https://yewtu.be/watch?v={ID}",
    f"https://invidious.example.org/watch?v={ID}",
    f"https://piped.video/watch?v={ID}",
    f"https://youtube.googleapis.com/v/{ID}",
    f"https://www.youtube.com:443/watch?v={ID}",
    f"https://somebody@www.youtube.com/watch?v={ID}",
    f"https://www.youtube.com/watch?v={ID}?si=glued",
    f"www.youtube.com/watch?v={ID}",
    f"youtu.be/{ID}",
    ID,
]


@pytest.mark.parametrize("text", VIDEO)
def test_each_spelling_of_a_video_has_its_key_and_its_one_location(text: str) -> None:
    source = source_of(text)

    assert source.key == f"youtube:{ID}"
    assert source.location == f"https://www.youtube.com/watch?v={ID}"
    assert not source.collection


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("https://www.youtube.com/playlist?list=PL12&si=x", "https://www.youtube.com/playlist?list=PL12"),
        ("https://m.youtube.com/playlist?list=PL12", "https://www.youtube.com/playlist?list=PL12"),
        ("https://www.youtube.com/watch?list=PL12", "https://www.youtube.com/playlist?list=PL12"),
        ("https://www.youtube.com/embed/videoseries?list=PL12", "https://www.youtube.com/playlist?list=PL12"),
        (f"list:https://www.youtube.com/watch?v={ID}&list=PL12", "https://www.youtube.com/playlist?list=PL12"),
        ("https://www.youtube.com/@SomeChannel", "https://www.youtube.com/@somechannel"),
        ("https://www.youtube.com/@SomeChannel/videos?view=0", "https://www.youtube.com/@somechannel/videos"),
        ("https://www.youtube.com/channel/UCxYz/", "https://www.youtube.com/channel/UCxYz"),
        ("https://www.youtube.com/c/Some", "https://www.youtube.com/c/Some"),
        ("https://www.youtube.com/user/Some/playlists", "https://www.youtube.com/user/Some/playlists"),
        ("https://www.youtube.com/results?search_query=a+b&sp=x", "https://www.youtube.com/results?search_query=a+b"),
        (
            "https://www.youtube.com/feeds/videos.xml?channel_id=UCabc&x=1",
            "https://www.youtube.com/feeds/videos.xml?channel_id=UCabc",
        ),
    ],
)
def test_playlists_channels_and_their_feeds_are_collections(text: str, location: str) -> None:
    source = source_of(text)

    assert source.collection
    assert source.location == location
    assert source == source_of(location)


@pytest.mark.parametrize(
    "text",
    ["https://www.youtube.com/clip/UgkxABC", "https://www.youtube.com/@some/live", "https://www.youtube.com/premium"],
)
def test_other_pages_of_youtube_are_addresses_like_any_other(text: str) -> None:
    source = source_of(text)

    assert source.key.startswith("url:")
    assert source.location == text
    assert not source.collection


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXc", "'dQw4w9WgXc' is no id"),
        ("https://youtu.be/dQw4w9WgXcQQ", "is no id"),
        ("https://www.youtube.com/watch", "without a video"),
        ("https://www.youtube.com/playlist", "without a playlist"),
        (f"list:https://youtu.be/{ID}", "one video, not a list"),
    ],
)
def test_what_is_written_like_a_video_but_names_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadAddress, match=reason):
        source_of(text)


@pytest.mark.parametrize("word", ["nonexistent", "Interviews", "NONEXISTENT", "dQw4w9WgXc", "dQw4w9WgXcQQ"])
def test_a_plain_word_is_no_video_id(word: str) -> None:
    with pytest.raises(BadAddress):
        source_of(word)
