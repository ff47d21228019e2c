"""A run leaves no password behind, a probe's text is never run as code, and the source is only read.

All of it as a user who must use TLS, on a server that has it.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.build import Build, Source, command, load_server, make_project
from tests.conftest import need
from tests.exports import read_manifest, sheet
from tests.servers import Server, SqlError, mariadb, mysql_environment

USER, PASSWORD = "careful", "Kq7-no:body@knows#this"
OUTSIDE = "probesheets-was-here"
PROBES = [
    "'; drop table texts; --",
    '"; drop table texts; --',
    "`; drop table texts; #",
    "\\'; drop table texts; --",
    "{{ env_var('HOME') }}",
    "{% do run_query('drop table texts') %}",
    f"../../{OUTSIDE}",
    f"/tmp/{OUTSIDE}",
    f"..\\..\\{OUTSIDE}",
    "CON",
    "nul.txt",
    "a\tb\nc",
    "␀ NUL \\0 %00",
    "=HYPERLINK(\"http://x.example.com\")",
    "%s %(name)s {0} $1 \\1",
    "long " * 60,
    "",
    ".",
    "~",
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> Source:
    rows = []
    for number, probe in enumerate(PROBES, 1):
        text = f"text {number} {probe}"
        rows.append({"id": 2 * number, "root_id": 0, "tag": "raw", "depth": 0, "probe": probe, "content": text})
        more = {"tag": "trimmed", "depth": 1, "probe": probe, "content": text}
        rows.append({"id": 2 * number + 1, "root_id": 2 * number, **more})
    return Source("hostile", [{"experiment_id": 1, **row} for row in rows])


@pytest.fixture(scope="module")
def server(hostile: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a certificate, and a user with the two rights that the README names, and no plain connection."""
    need("mariadb")
    folder = tmp_path_factory.mktemp("tls")
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    certificate += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(certificate, check=True, capture_output=True)
    with mariadb(f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}") as server:
        for schema in ("outputs", "sheets"):
            server.root.execute(f"create schema {schema} default character set utf8mb4")
        server.root.execute(f"create user {USER}@'%' identified by '{PASSWORD}' require ssl")
        server.root.execute(f"grant select on outputs.* to {USER}@'%'")
        server.root.execute(f"grant all on sheets.* to {USER}@'%'")
        load_server(server, "outputs", hostile)
        yield server


@dataclass(frozen=True)
class Run:
    """What a run left: its project folder, what it said, and the command lines of all processes meanwhile."""

    build: Build
    said: str
    command_lines: bytes

    @property
    def out(self) -> Path:
        return self.build.folder / "out"


@pytest.fixture(scope="module", params=["mariadb", "duckdb"])
def run(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`run --target mariadb`, and `run --source mysql://…`, as that user."""
    target = str(request.param)
    folder = tmp_path_factory.mktemp("secrets") / "p"
    make_project(folder, coding=True)
    environment = server.environment("outputs", "sheets") | {"PROBESHEETS_USER": USER, "PROBESHEETS_PASSWORD": PASSWORD}
    environment |= {"PROBESHEETS_DUCKDB": str(folder / "probesheets.duckdb"), "DBT_LOG_LEVEL": "debug"}
    arguments = [str(command(target, "probesheets")), "run", "--target", target, "--out", "out"]
    if target == "duckdb":
        arguments += ["--source", f"mysql://{USER}@127.0.0.1:{server.port}/outputs"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PROBESHEETS_", "DBT_"))}
    process = subprocess.Popen(
        arguments, cwd=folder, env=inherited | environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    with _command_lines() as seen:
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    return Run(Build(target, folder, environment, said, 0, server), said, b"\n".join(seen))


class _command_lines:  # noqa: N801
    """Collects the command lines of all processes of the machine, until its block ends."""

    def __enter__(self) -> set[bytes]:
        self._seen, self._over = set[bytes](), threading.Event()
        self._thread = threading.Thread(target=self._collect)
        self._thread.start()
        return self._seen

    def _collect(self) -> None:
        while not self._over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self._seen.add(file.read_bytes())
                except OSError:  # it has ended
                    continue
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def test_the_password_is_nowhere(run: Run) -> None:
    needle = PASSWORD.encode()
    assert needle not in run.said.encode()
    files = [path for path in run.build.folder.rglob("*") if path.is_file()]
    assert any(path.name == "dbt.log" for path in files) and any(path.suffix == ".msgpack" for path in files)
    assert [path for path in files if needle in path.read_bytes()] == []
    assert b"probesheets" in run.command_lines
    assert needle not in run.command_lines


@pytest.mark.parametrize("wrong", ["password", "user"])
def test_nor_in_what_is_said_of_a_refusal(run: Run, wrong: str) -> None:
    """A password that is wrong, because of a typing error, is nearly one that is right."""
    environment = {**run.build.environment, "PROBESHEETS_PASSWORD": PASSWORD + "x"}
    user = USER
    if wrong == "user":
        user = "nobody"
        environment = {**run.build.environment, "PROBESHEETS_USER": user}
    arguments = ["run", "--out", "refused", "--target", run.build.target]
    if run.build.target == "duckdb":
        arguments += ["--source", f"mysql://{user}@127.0.0.1:{run.build.environment['PROBESHEETS_PORT']}/outputs"]
    result = replace(run.build, environment=environment).probesheets(*arguments)
    said = result.stdout + result.stderr
    assert result.returncode == 1 and "denied" in said
    assert PASSWORD not in said
    assert not (run.build.folder / "refused").exists()
    logs = [*run.build.folder.glob("target/*/dbt.log"), *run.build.folder.glob("logs/*")]
    assert logs and not any(PASSWORD in path.read_text(encoding="utf-8") for path in logs)


def test_probes_are_probes(run: Run) -> None:
    """No SQL, no template, no path: each is a text in a cell, and there is a workbook of each."""
    told = read_manifest(run.out)
    titles = {file["probe"] for file in told["files"] if file["kind"] == "with_links"}
    assert titles == {" ".join(probe.split()) or "(no probe)" for probe in PROBES}
    for kind in ("with_links", "without_links"):
        texts = [row[1] for file in (run.out / kind).iterdir() for row in sheet(file)[1:]]
        assert len(texts) == len(PROBES) == len(list((run.out / kind).iterdir()))
        assert sorted(int(text.split()[1]) for text in texts) == list(range(1, len(PROBES) + 1))
    tops = {"CON", "NUL", "PRN", "AUX"}
    assert not any(path.stem.split(".")[0].upper() in tops for path in run.out.rglob("*"))


def test_no_file_outside_the_folder(run: Run) -> None:
    for place in (Path("/tmp"), run.build.folder.parent, run.build.folder):
        assert not [path for path in place.iterdir() if OUTSIDE in path.name]
    assert {path.name for path in run.build.folder.iterdir() if not path.is_symlink()} <= {
        "out", "target", "logs", "probesheets.duckdb", "probesheets.duckdb.lock", "refused", ".user.yml",
        "dbt_packages",
    }  # fmt: skip


def test_the_source_is_only_read(run: Run, server: Server, hostile: Source) -> None:
    """By a user without the right to write to it, who does not try: its rows, tables and columns are unchanged."""
    assert server.root.execute("select table_name from information_schema.tables where table_schema = 'outputs'") == [
        ("table_output",)
    ]
    found = server.root.execute("select id, probe, content from outputs.table_output order by id")
    assert found == [(row["id"], row["probe"], row["content"]) for row in hostile.outputs]
    grants = [row[0] for row in server.root.execute(f"show grants for {USER}@'%'")]
    assert [grant.split(" TO ")[0] for grant in grants if "USAGE" not in grant] == [
        "GRANT SELECT ON `outputs`.*",
        "GRANT ALL PRIVILEGES ON `sheets`.*",
    ]


def test_a_plain_connection_of_that_user_is_refused(server: Server) -> None:
    """So the tests above did use TLS."""
    script = (
        "import sys, mysql.connector as c\n"
        "def status(**more):\n"
        "    db = c.connect(host='127.0.0.1', port=int(sys.argv[1]), user=sys.argv[2], password=sys.argv[3], **more)\n"
        "    cursor = db.cursor(); cursor.execute(\"show status like 'Ssl_cipher'\"); return cursor.fetchall()[0][1]\n"
        "print(status())\n"
        "try:\n    print(status(ssl_disabled=True))\nexcept c.Error as error:\n    print(error.errno)\n"
    )
    python = str(mysql_environment() / "bin" / "python")
    arguments = [python, "-c", script, str(server.port), USER, PASSWORD]
    result = subprocess.run(arguments, capture_output=True, text=True, check=True)
    cipher, refused = result.stdout.split()
    assert "AES" in cipher or "CHACHA" in cipher
    assert refused == "1045"


def test_that_user_may_do_nothing_else(server: Server) -> None:
    with pytest.raises(SqlError, match="denied"):
        server.analyst.execute("select count(*) from outputs.table_output")
