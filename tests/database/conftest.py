"""Real servers: data folders with an embedded one, and a PostgreSQL of the user's own from the same programs."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from tests.places import passable, wait_until_stopped

from rushes.database.accounts import Account, myself, service_account
from rushes.database.binaries import Programs, newest_programs
from rushes.settings import Settings

PASSWORD = "a:b/c@d e"  # noqa: S105  (of a server that lives for one test run)
USER_OF_A_SERVER = """
import asyncio, sys
from pathlib import Path
from rushes.database import open_database
from rushes.settings import Settings

async def main():
    async with open_database(Settings.load(home=Path(sys.argv[1])), pool_size=2) as database:
        started = await database.pool.fetchval("select pg_postmaster_start_time()::text")
        print(started, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("RUSHES_", "PG")) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RUSHES_CONFIG", "/nonexistent/config.toml")


@pytest.fixture(scope="session")
def _template() -> Iterator[Path]:
    """A data folder whose server was made once and is stopped: copying it is faster than making another."""
    top = passable()
    subprocess.run([sys.executable, "-c", USER_OF_A_SERVER, str(top / "home")], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    wait_until_stopped(top / "home")
    yield top / "home"
    shutil.rmtree(top)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = passable()
    yield path
    for home in path.iterdir():
        wait_until_stopped(home)
    shutil.rmtree(path)


@pytest.fixture
def new_home(folder: Path) -> Path:
    """A data folder that does not exist yet."""
    return folder / "new"


@pytest.fixture
def home(folder: Path, _template: Path) -> Path:
    """A data folder with a database, whose server is stopped."""
    subprocess.run(["cp", "-a", str(_template), str(folder / "home")], check=True)
    return folder / "home"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings.load(home=home)


@dataclass
class Process:
    """Another process that uses a data folder's server until it is told to end."""

    popen: subprocess.Popen[str]

    def started(self) -> str:
        """When the server it found was started."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline().strip()
        assert line, self.popen.stderr and self.popen.stderr.read()
        return line

    def end(self) -> None:
        self.popen.communicate()
        assert self.popen.returncode == 0

    def kill(self) -> None:
        """Kill it with its whole process group, as a terminal or a supervisor does."""
        if self.popen.returncode is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.communicate()


@pytest.fixture
def another_user() -> Iterator[Callable[[Path], Process]]:
    made: list[Process] = []

    def start(home: Path, account: Account | None = None) -> Process:
        popen = subprocess.Popen(
            [sys.executable, "-c", USER_OF_A_SERVER, str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, **(account.popen() if account else {}),
        )  # fmt: skip
        made.append(Process(popen))
        return made[-1]

    yield start
    for process in made:
        process.kill()


@dataclass
class OwnServer:
    """A PostgreSQL of the user's own: on TCP, with a password."""

    programs: Programs
    data: Path
    port: int
    account: Account

    def url(self, database: str, password: str = PASSWORD) -> str:
        from urllib.parse import quote

        return f"postgresql://owner:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def control(self, *arguments: str) -> None:
        subprocess.run(
            [self.programs.program("pg_ctl"), "-D", str(self.data), "-l", str(self.data / "log"), "-s", "-w", *arguments],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", **self.account.popen(),
        )  # fmt: skip


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    account = service_account() if os.geteuid() == 0 else myself()
    top = passable()
    account.own(top)
    programs = newest_programs()
    (top / "password").write_text(PASSWORD)
    account.own(top / "password")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    subprocess.run(
        [programs.program("initdb"), "-D", str(top / "data"), "-U", "owner", "-A", "scram-sha-256", "--no-sync",
         "--pwfile", str(top / "password"), "-E", "UTF8", "--locale", "C.UTF-8",
         "--set", "listen_addresses=127.0.0.1", "--set", f"port={port}", "--set", f"unix_socket_directories={top}",
         "--set", "dynamic_shared_memory_type=mmap", "--set", "fsync=off"],
        check=True, stdout=subprocess.DEVNULL, cwd="/", **account.popen(),
    )  # fmt: skip
    server = OwnServer(programs, top / "data", port, account)
    server.control("start")
    yield server
    server.control("stop", "-m", "immediate")
    shutil.rmtree(top)


@contextlib.asynccontextmanager
async def _new_database(server: OwnServer) -> AsyncIterator[str]:
    name = f"d{secrets.token_hex(4)}"
    await _administer(server, f"create database {name}")
    yield server.url(name)
    await _administer(server, f"drop database {name} with (force)")


async def _administer(server: OwnServer, statement: str) -> None:
    admin = await asyncpg.connect(server.url("postgres"))
    await admin.execute(statement)
    await admin.close()


@pytest.fixture
async def own_url(own_server: OwnServer) -> AsyncIterator[str]:
    """The URL of a new, empty database of the user's own."""
    async with _new_database(own_server) as url:
        yield url


@pytest.fixture
async def other_url(own_server: OwnServer) -> AsyncIterator[str]:
    """The URL of another one."""
    async with _new_database(own_server) as url:
        yield url
