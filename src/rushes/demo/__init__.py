"""A small channel of talks, made on this machine and served on loopback: something to run the main job on offline."""

from __future__ import annotations

from rushes.demo.channel import Channel, Published, demo_channel

__all__ = ["Channel", "Published", "demo_channel"]
