"""Whose the server is and where it lives: as an ordinary user, and as root, who lends it an unprivileged one."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.places import wait_until_stopped

from rushes.database import cluster as places
from rushes.database import open_database
from rushes.database.accounts import SERVICE, Account, may_reach, myself, service_account
from rushes.database.binaries import copy_programs, find_programs, newest_programs
from rushes.database.cluster import find_cluster, settle_cluster
from rushes.errors import DatabaseError
from rushes.settings import Settings

from .conftest import Process

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its server another user")
NOBODY = Account(65534, 65534)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only its owner may enter, as `/root` is."""
    path = tmp_path / "root"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def shared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for `/var/lib/rushes`."""
    monkeypatch.setattr(places, "SHARED", folder / "shared")
    return folder / "shared"


@as_root
async def test_root_keeps_clusters_elsewhere_where_the_servers_user_cannot_go(closed: Path, shared: Path) -> None:
    homes = [closed / "one", closed / "two"]
    folders = []
    for home in homes:
        async with open_database(Settings.load(home=home)) as database:
            await database.pool.execute("create table public.mark as select $$" + home.name + "$$ as name")
        found = find_cluster(home)
        assert found is not None
        folders.append(found.folder)
        assert found.folder.parent == shared / "clusters"
        assert mode(found.data) == 0o700
        assert found.data.stat().st_uid == service_account().uid != 0
    assert folders[0] != folders[1]
    assert mode(closed) == 0o700
    assert mode(homes[0]) == 0o711  # made by us; what is in it stays closed by the folder above
    for home in homes:
        async with open_database(Settings.load(home=home)) as database:
            assert await database.pool.fetchval("select name from public.mark") == home.name
        wait_until_stopped(home)


@as_root
async def test_root_keeps_the_cluster_in_a_data_folder_that_can_be_reached(home: Path) -> None:
    found = find_cluster(home)
    assert found is not None
    assert found.folder == home / "postgresql"
    assert pwd.getpwuid(found.data.stat().st_uid).pw_name in (SERVICE, "nobody")


@as_root
def test_a_pointer_to_nowhere_is_not_taken_for_a_new_database(closed: Path) -> None:
    (closed / "postgresql.at").write_text("/nonexistent/cluster\n")
    with pytest.raises(DatabaseError, match=r"was in /nonexistent/cluster.*\n.*postgresql\.at"):
        settle_cluster(closed)


@as_root
def test_root_joins_the_server_of_the_folders_owner(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(mode=0o755)
    os.chown(home, NOBODY.uid, NOBODY.gid)
    found = settle_cluster(home)
    assert found.account == NOBODY
    assert found.folder.stat().st_uid == NOBODY.uid


@pytest.fixture
def ordinary(folder: Path) -> Iterator[Account]:
    """An ordinary user who may write to `folder`: ourselves, or somebody else if we are root."""
    if os.geteuid() != 0:
        yield myself()
        return
    interpreter = Path(sys.executable)  # in the environment, and what it is a link to
    if not (may_reach(interpreter.absolute().parent, NOBODY) and may_reach(interpreter, NOBODY)):
        pytest.skip("the interpreter lies where an ordinary user may not go")
    os.chown(folder, NOBODY.uid, NOBODY.gid)
    yield NOBODY


def test_an_ordinary_user_has_a_server_of_their_own(
    folder: Path, ordinary: Account, another_user: Callable[[Path, Account], Process]
) -> None:
    home = folder / "theirs"
    first, second = another_user(home, ordinary), another_user(home, ordinary)
    assert first.started() == second.started()
    found = find_cluster(home)
    assert found is not None
    assert mode(home) == 0o700
    assert mode(found.folder) == 0o700
    assert mode(found.data) == 0o700
    assert {path.stat().st_uid for path in (found.folder, found.data, found.run, *found.folder.iterdir())} == {
        ordinary.uid
    }
    assert mode(folder) == 0o755
    first.kill()
    second.kill()
    wait_until_stopped(home)


@as_root
def test_another_users_database_is_refused(home: Path, ordinary: Account) -> None:
    script = f"""
import sys
from pathlib import Path
from rushes.database.cluster import settle_cluster
from rushes.errors import DatabaseError
try:
    settle_cluster(Path({str(home)!r}))
except DatabaseError as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, **ordinary.popen()
    )
    assert "belongs to the user 'root'" in said.stdout
    assert "RUSHES_HOME" in said.stdout


def test_programs_are_copied_whole_and_once(folder: Path) -> None:
    programs = newest_programs()
    (folder / "programs-9.0").mkdir()
    copy = copy_programs(programs, folder)
    made = copy.root.stat().st_mtime_ns
    account = service_account() if os.geteuid() == 0 else myself()
    for name in ("postgres", "psql", "initdb"):
        said = subprocess.run(
            [copy.program(name), "--version"], capture_output=True, text=True, check=True, **account.popen()
        )
        assert programs.version in said.stdout
    assert copy_programs(programs, folder) == copy
    assert copy.root.stat().st_mtime_ns == made
    assert [path.name for path in folder.iterdir()] == [f"programs-{programs.version}"]


@as_root
async def test_a_server_runs_from_copied_programs(
    new_home: Path, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = newest_programs()
    hidden = closed / "site-packages"
    copy = copy_programs(programs, closed)
    copy.root.parent.parent.rename(hidden)
    from rushes.database import embedded
    from rushes.database.binaries import Programs

    unreadable = Programs(hidden / copy.root.parent.name / copy.root.name, programs.version)
    monkeypatch.setattr(embedded, "find_programs", lambda: {programs.major: unreadable})
    async with open_database(Settings.load(home=new_home)) as database:
        assert await database.pool.fetchval("select 1") == 1
    assert (new_home / "postgresql" / f"programs-{programs.version}").is_dir()
    assert mode(closed) == 0o700


def test_every_installed_version_is_found() -> None:
    assert max(find_programs()) >= 18
