"""Private MariaDB and MySQL servers for the tests: on free loopback ports, in temporary folders, gone afterwards."""

import os
import pickle
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "analyst", "only for these tests"
SECONDS_TO_START = 90
_SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
# nothing needs to survive a crash of the machine
_COMMON = ["--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"]


class SqlError(Exception):
    """What the server said."""


def mysql_environment() -> Path:
    """The virtual environment that has dbt-mysql."""
    return Path(os.environ.get("PROBESHEETS_TEST_MYSQL_ENV", ROOT / ".venv-mysql"))


class Client:
    """One user's connection to a server, in a process of .venv-mysql."""

    def __init__(self, port: int, user: str, password: str) -> None:
        python, script = mysql_environment() / "bin" / "python", ROOT / "tests" / "sql_client.py"
        self._process = subprocess.Popen(
            [python, script, str(port), user, password], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def execute(self, statement: str, rows: Sequence[Sequence[Any]] | None = None) -> list[tuple[Any, ...]]:
        """The result's rows. With `rows`, the statement is executed for each of them. Raises SqlError."""
        assert self._process.stdin and self._process.stdout
        pickle.dump((statement, rows), self._process.stdin)
        self._process.stdin.flush()
        kind, answer = pickle.load(self._process.stdout)
        if kind == "error":
            raise SqlError(answer)
        return list(answer)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)


@dataclass(frozen=True)
class Server:
    """A running server: `root` may do all, `analyst` only what an analyst may (see grant)."""

    kind: str
    port: int
    root: Client
    analyst: Client

    def create_schemas(self, source: str, target: str) -> None:
        """A schema to read, and one to build in: the analyst gets SELECT on the one and ALL on the other."""
        for schema in (source, target):
            self.root.execute(f"create schema {schema} default character set utf8mb4")
        self.root.execute(f"grant select on {source}.* to {USER}@'%'")
        self.root.execute(f"grant all on {target}.* to {USER}@'%'")

    def environment(self, source: str, target: str) -> dict[str, str]:
        """The variables that lead dbt and probesheets to this server."""
        return {
            "PROBESHEETS_HOST": "127.0.0.1",
            "PROBESHEETS_PORT": str(self.port),
            "PROBESHEETS_USER": USER,
            "PROBESHEETS_PASSWORD": PASSWORD,
            "PROBESHEETS_SOURCE_SCHEMA": source,
            "PROBESHEETS_SCHEMA": target,
        }


def find_mariadb() -> list[str] | None:
    """The command that starts a MariaDB server, if it is installed."""
    path = shutil.which("mariadbd", path=_SBIN)
    return [path, "--no-defaults"] if path and shutil.which("mariadb-install-db", path=_SBIN) else None


def find_mysql() -> list[str] | None:
    """The command that starts a MySQL server: mysqld, or the one in a folder that debootstrap has filled.

    That one is started by the folder's own loader with its own libraries, which needs no chroot and so no root.
    """
    path = shutil.which("mysqld", path=_SBIN)
    if path and b"MariaDB" not in subprocess.run([path, "--version"], capture_output=True, check=False).stdout:
        return [path, "--no-defaults"]
    root = Path(os.environ.get("PROBESHEETS_TEST_MYSQL_ROOT", Path.home() / ".cache" / "probesheets" / "mysql"))
    loaders = sorted(root.glob("usr/lib/*-linux-gnu*/ld-linux-*.so*"))
    if not (root / "usr/sbin/mysqld").is_file() or not loaders:
        return None
    share = root / "usr/share/mysql"
    command = [loaders[0], "--library-path", loaders[0].parent, root / "usr/sbin/mysqld", "--no-defaults"]
    command += [f"--basedir={root / 'usr'}", f"--plugin-dir={root / 'usr/lib/mysql/plugin'}"]
    command += [f"--lc-messages-dir={share}", f"--character-sets-dir={share / 'charsets'}"]
    return [str(part) for part in command]


@contextmanager
def mariadb(*options: str) -> Iterator[Server]:
    """A MariaDB server with its defaults, but for `options`."""
    command, install = find_mariadb(), shutil.which("mariadb-install-db", path=_SBIN)
    assert command and install
    with _folder() as folder:
        setup = [install, "--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal"]
        _run_setup([*setup, "--skip-test-db", *_as_root()], folder)
        with _running("mariadb", [*command, *_as_root(), *_COMMON, *options], folder) as server:
            yield server


@contextmanager
def mysql(*options: str) -> Iterator[Server]:
    """A MySQL server with its defaults, but for `options`."""
    command = find_mysql()
    assert command
    with _folder() as folder:
        _run_setup([*command, *_as_root(), "--initialize-insecure", f"--datadir={folder / 'data'}"], folder)
        extra = ["--mysqlx=OFF", "--disable-log-bin"]
        with _running("mysql", [*command, *_as_root(), *_COMMON, *extra, *options], folder) as server:
            yield server


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


@contextmanager
def _folder() -> Iterator[Path]:
    """Not pytest's: a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="probesheets-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _run_setup(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=_with_own_tmp(folder))
    assert result.returncode == 0, f"{command[0]} failed:\n{result.stdout}\n{result.stderr}"


@contextmanager
def _running(kind: str, command: list[str], folder: Path) -> Iterator[Server]:
    port = free_port()
    places = {"datadir": "data", "socket": "s", "pid-file": "pid", "secure-file-priv": "data"}
    command = [*command, f"--port={port}", *(f"--{name}={folder / place}" for name, place in places.items())]
    log = folder / "log"
    with ExitStack() as stack, log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, env=_with_own_tmp(folder))
        stack.callback(_stop, process)
        root = Client(port, "root", "")
        stack.callback(root.close)
        _wait_until_ready(root, process, log)
        root.execute(f"create user {USER}@'%' identified by '{PASSWORD}'")
        analyst = Client(port, USER, PASSWORD)
        stack.callback(analyst.close)
        yield Server(kind, port, root, analyst)


def _with_own_tmp(folder: Path) -> dict[str, str]:
    """A MariaDB that starts deletes every server's temporary tables in /tmp, so each has a folder of its own."""
    (folder / "tmp").mkdir(exist_ok=True)
    return os.environ | {"TMPDIR": str(folder / "tmp")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(root: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline, said = time.monotonic() + SECONDS_TO_START, ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            root.execute("select 1")
            return
        except SqlError as error:
            said = str(error)
            time.sleep(0.2)
    raise RuntimeError(f"The server did not start. {said}\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=30)
    if process.poll() is None:
        process.kill()
        process.wait()
