"""Fetches with http.client alone, directly or by a proxy, and prints the seconds: `WAY PROXY HOST PORT SIZE TIMES`."""

from __future__ import annotations

import base64
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

BLOCK = 256 * 1024


def connection(way: str, proxy: str, host: str, port: int) -> tuple[HTTPConnection, str, dict[str, str]]:
    """A connection, what comes before the path, and the header that the proxy asks for."""
    parts = urlsplit(proxy)
    right = {"Proxy-Authorization": f"Basic {base64.b64encode(f'{parts.username}:{parts.password}'.encode()).decode()}"}
    if way == "direct":
        return HTTPConnection(host, port), "", {}
    through = HTTPConnection(str(parts.hostname), parts.port)
    if way == "plain":
        return through, f"http://{host}:{port}", right
    through.set_tunnel(host, port, headers=right)
    return through, "", {}


def main(way: str, proxy: str, host: str, port: str, size: str, times: str) -> None:
    began = time.perf_counter()
    for _ in range(int(times)):
        open_, before, headers = connection(way, proxy, host, int(port))
        open_.request("GET", f"{before}/{size}", headers=headers)
        answer = open_.getresponse()
        received = 0
        while block := answer.read(BLOCK):
            received += len(block)
        assert received == int(size)
        open_.close()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
