"""A MariaDB server that can be killed and started again, as machines are."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import Client, Server, SqlError, mariadb


@dataclass
class Mortal:
    """`server`'s own process, from the time that it was first started; its clients do not survive `kill`."""

    server: Server
    process_id: int
    command: Sequence[str]
    folder: str
    again: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """As a power cut would: no goodbye to the clients."""
        os.kill(self.process_id, signal.SIGKILL)
        while Path(f"/proc/{self.process_id}/stat").exists() and "Z" not in _state(self.process_id):
            time.sleep(0.01)

    def start(self) -> None:
        """Start it again on the same port and data, and wait until it answers."""
        with Path(os.devnull).open("wb") as nowhere:
            self.again = subprocess.Popen(self.command, cwd=self.folder, stdout=nowhere, stderr=nowhere)
        self.process_id = self.again.pid
        client, deadline = Client(self.server.port, "root", ""), time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                client.execute("select 1")
                break
            except SqlError:
                time.sleep(0.1)
        client.close()


def _state(process_id: int) -> str:
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def mortal_mariadb() -> Iterator[Mortal]:
    with mariadb() as server:
        process_id = int(Path(str(server.root.execute("select @@pid_file")[0][0])).read_text())
        command = Path(f"/proc/{process_id}/cmdline").read_bytes().rstrip(b"\0").decode().split("\0")
        mortal = Mortal(server, process_id, command, str(Path(f"/proc/{process_id}/cwd").readlink()))
        try:
            yield mortal
        finally:
            if mortal.again:
                mortal.again.kill()
                mortal.again.wait()
