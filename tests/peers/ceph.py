"""A real S3 service on loopback: Ceph (monitor, one OSD over a sparse file, gateway).

A throw-away peer: no authentication between its parts. One is shared by all workers of a test run.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from uuid import NAMESPACE_URL, uuid5

import obstore
from obstore.store import S3Store

PACKAGES = "ceph-mon ceph-osd radosgw ceph-common"
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
DISK_BYTES = 20 << 30  # sparse
ACCESS_KEY, SECRET_KEY = "archive", "archive-secret"
START_SECONDS = 90
ATTEMPTS = 4


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    found = all(shutil.which(each) for each in PROGRAMS)
    return None if found else f"apt-get install --no-install-recommends {PACKAGES}"


@dataclass(frozen=True, slots=True)
class Ceph:
    """A running service; `folder` holds its files and the process ids of its parts."""

    folder: str
    port: int

    @property
    def cluster(self) -> str:
        """Its fsid: parts of another service never take it for theirs."""
        return str(uuid5(NAMESPACE_URL, self.folder))

    @property
    def disk(self) -> str:
        """The UUID of its OSD."""
        return str(uuid5(NAMESPACE_URL, f"{self.folder}/osd"))

    @property
    def endpoint(self) -> str:
        """Where it answers S3."""
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self, name: str) -> None:
        """A new bucket, by a signed PUT of its path."""
        at = S3Store(
            name,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            client_options={"allow_http": True},
        )
        url = obstore.sign(at, "PUT", "", timedelta(seconds=60))
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=30):
            return

    def pid(self, part: str) -> int:
        """Of `mon.a`, `osd.0` or `client.rgw.a`."""
        return int((Path(self.folder) / f"{part}.pid").read_text())

    def kill_disk(self) -> None:
        """SIGKILL to the OSD, as a disk that is pulled; `start_disk` puts it back."""
        pid = self.pid("osd.0")
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not _alive(pid))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """In the block the gateway takes connections and says nothing (SIGSTOP)."""
        os.kill(self.pid("client.rgw.a"), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid("client.rgw.a"), signal.SIGCONT)

    def start_disk(self) -> None:
        """The OSD again, once the threads of the killed one have let go of its files."""
        _until(lambda: _does(self, "ceph-osd", "-i", "0"))

    def stop(self) -> None:
        """End every part, in the order in which they need each other."""
        for part in ("client.rgw.a", "osd.0", "mon.a"):
            with suppress(OSError, ValueError):
                pid = self.pid(part)
                os.kill(pid, signal.SIGKILL)
                _until(lambda pid=pid: not _alive(pid))
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def shared(folder: Path) -> Iterator[Ceph]:
    """The one service of all processes that name the same folder; the last one ends it."""
    note = folder / "ceph.json"
    with _locked(folder):
        users, facts = json.loads(note.read_text()) if note.exists() else (0, {})
        made = Ceph(**facts) if users else _started()
        note.write_text(json.dumps([users + 1, asdict(made)]))
    try:
        yield made
    finally:
        with _locked(folder):
            users, facts = json.loads(note.read_text())
            note.write_text(json.dumps([users - 1, facts]))
            if users == 1:
                made.stop()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "ceph.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _started() -> Ceph:
    for left in reversed(range(ATTEMPTS)):
        try:
            return _start()
        except RuntimeError:  # somebody else took one of its ports meanwhile
            if not left:
                raise
    raise AssertionError("unreachable")


def _start() -> Ceph:
    ports = _free_ports(2)
    made = Ceph(mkdtemp(prefix="vna-ceph-"), ports[1])
    folder = Path(made.folder)
    (folder / "ceph.conf").write_text(_settings(made, ports[0]))
    for each in ("mon", "osd", "rgw"):
        (folder / each).mkdir()
    try:
        _monitor(made, ports[0])
        _disk(made)
        _call(made, "radosgw", "-n", "client.rgw.a")
        _until(lambda: _answers(made.endpoint))
        user = ("--uid", "archive", "--display-name", "archive")
        keys = ("--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)
        _call(made, "radosgw-admin", "user", "create", *user, *keys)
    except BaseException:
        made.stop()
        raise
    return made


def _monitor(made: Ceph, port: int) -> None:
    where = f"[v1:127.0.0.1:{port}]"
    _run(["monmaptool", "--create", "--clobber", "--fsid", made.cluster, "--addv", "a", where,
          f"{made.folder}/monmap"])  # fmt: skip
    _call(made, "ceph-mon", "--mkfs", "-i", "a", "--monmap", f"{made.folder}/monmap",
          "--keyring", "/dev/null")  # fmt: skip
    _call(made, "ceph-mon", "-i", "a")
    _until(lambda: _says(made, "status", "quorum"))


def _disk(made: Ceph) -> None:
    _call(made, "ceph", "osd", "new", made.disk, "0")
    with (Path(made.folder) / "osd" / "block").open("wb") as file:
        file.truncate(DISK_BYTES)
    _call(made, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", made.disk)
    _call(made, "ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost")
    _call(made, "ceph-osd", "-i", "0")
    _until(lambda: _says(made, "osd stat", "1 up"))


def _settings(made: Ceph, port: int) -> str:
    return f"""[global]
fsid = {made.cluster}
mon_host = v1:127.0.0.1:{port}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr2 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = {made.folder}
admin_socket = {made.folder}/$name.asok
log_file = {made.folder}/$name.log
pid_file = {made.folder}/$name.pid
crash_dir = {made.folder}
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_warn_on_pool_no_redundancy = false
[mon]
mon_data = {made.folder}/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[osd]
osd_data = {made.folder}/osd
osd_objectstore = bluestore
bluestore_block_size = {DISK_BYTES}
bluestore_fsck_on_mount = false
osd_memory_target = 939524096
osd_op_num_shards = 2
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:{made.port} tcp_nodelay=1
rgw_data = {made.folder}/rgw
rgw_enable_usage_log = false
rgw_thread_pool_size = 32
"""


def _call(made: Ceph, program: str, *words: str) -> None:
    _run([program, "--conf", f"{made.folder}/ceph.conf", *words])


def _does(made: Ceph, program: str, *words: str) -> bool:
    try:
        _call(made, program, *words)
    except RuntimeError:
        return False
    return True


def _says(made: Ceph, words: str, wanted: str) -> bool:
    command = ["ceph", "--conf", f"{made.folder}/ceph.conf", *words.split()]
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        return wanted in done.stdout
    return False


def _run(command: Sequence[str]) -> None:
    # Daemons keep what they inherit: pipes would never end.
    with TemporaryFile() as said:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=START_SECONDS,
            check=False,
        )
        said.seek(0)
        if done.returncode:
            tail = said.read().decode(errors="replace")[-500:]
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {tail}")


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(endpoint, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _until(what) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + START_SECONDS
    while not what():
        if time.monotonic() > deadline:
            raise RuntimeError("Ceph does not come up")
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for each in probes:
        each.bind(("127.0.0.1", 0))
    found = [int(each.getsockname()[1]) for each in probes]
    for each in probes:
        each.close()
    return found
