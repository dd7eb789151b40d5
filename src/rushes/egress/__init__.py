"""The one way out for fetches of items that strangers asked for: a proxy on loopback that checks where they go.

It resolves each name itself, refuses what is not public, and connects to the very address that it has checked, so that
neither a redirect nor a changing name leads elsewhere. Whoever fetches has no other way to the network.

`rushes.egress.proxy.Egress` is the proxy, imported where it is needed; its words stand here for those who only read them.
"""

from rushes.egress.words import Refused, Unreachable, phrase, told

__all__ = ["Refused", "Unreachable", "phrase", "told"]
