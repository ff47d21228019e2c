"""The database server dies: in the middle of a read, and in the middle of a build."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probesheets.folder.verify import verify
from tests.build import Build, Source, build, command, run
from tests.conftest import Builder, need
from tests.exports import contents
from tests.servers import PASSWORD, ROOT, USER, Client, Server, mysql_environment
from tests.trust.folders import NEW, OLD
from tests.trust.processes import Starter, send_when
from tests.trust.server import Mortal, mortal_mariadb

EXTRA = " and more" * 8_000  # 72,000 characters more in each text: more than the connection's buffers take at once


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    need("mariadb")
    with mortal_mariadb() as server:
        yield server


@pytest.fixture(scope="module")
def built_there(mortal: Mortal, sample: Source, tmp_path_factory: pytest.TempPathFactory) -> Build:
    made = build(tmp_path_factory.mktemp("mortal") / "p", "mariadb", sample, mortal.server)
    assert made.returncode == 0, made.problems
    return made


def execute(mortal: Mortal, statement: str) -> list[tuple[object, ...]]:
    client = Client(mortal.server.port, USER, PASSWORD)
    try:
        return client.execute(statement)
    finally:
        client.close()


def test_the_server_dies_during_a_read(mortal: Mortal, built_there: Build, start: Starter, tmp_path: Path) -> None:
    execute(mortal, f"update target_sample.texts set text = concat(text, '{EXTRA}')")
    arguments = ["export", "--target", "mariadb", "--out", str(tmp_path / "out"), "--only", "with_links"]
    first = start(built_there, OLD, *arguments)
    first.go()
    assert first.end()[0] == 0
    before = contents(tmp_path / "out")
    reading = start(built_there, NEW, *arguments)
    reading.go()
    answering = (
        "select 1 from information_schema.processlist "
        "where user = 'analyst' and state = 'Writing to net' and info like '%`text`%order by%'"
    )
    send_when(reading.process, lambda: bool(mortal.server.root.execute(answering)), signal.SIGSTOP)
    mortal.kill()
    reading.process.send_signal(signal.SIGCONT)
    code, said = reading.end()
    assert code == 1
    assert "server stopped answering" in said and "run the same command again" in said and "Traceback" not in said
    assert contents(tmp_path / "out") == before
    refused = start(built_there, NEW, *arguments)
    refused.go()
    code, said = refused.end()
    assert code == 1 and "does not answer" in said and "that the server is running" in said
    mortal.start()
    again = start(built_there, NEW, *arguments)
    again.go()
    assert again.end()[0] == 0
    assert list(verify(tmp_path / "out")) == []
    assert contents(tmp_path / "out").keys() == before.keys()


def test_the_server_dies_during_a_build(mortal: Mortal, built_there: Build, tmp_path: Path) -> None:
    """At that moment the models are half built: nothing is exported from them, and the same command completes them."""
    execute(mortal, "drop table target_sample.texts")
    arguments = ["run", "--target", "mariadb", "--out", str(tmp_path / "out")]
    building = subprocess.Popen(
        [str(command("mariadb", "probesheets")), *arguments],
        cwd=built_there.folder,
        env=os.environ | dict(built_there.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watching = Client(mortal.server.port, USER, PASSWORD)
    made = "select 1 from information_schema.tables where table_name = 'texts'"
    deadline = time.monotonic() + 60
    while not watching.execute(made):
        assert time.monotonic() < deadline and building.poll() is None
        time.sleep(0.01)
    mortal.kill()
    watching.close()
    _, said = building.communicate(timeout=120)
    assert building.returncode == 1
    assert "dbt build failed" in said and "Nothing was exported" in said
    assert re.search("Lost connection|Can't connect|gone away", said), said
    assert not list(tmp_path.rglob("*.xlsx"))
    mortal.start()
    result = built_there.probesheets(*arguments)
    assert result.returncode == 0, result.stdout
    assert list(verify(tmp_path / "out")) == []


def test_a_server_that_ends_idle_connections(
    built: Builder, sample: Source, mariadb_server: Server, tmp_path: Path
) -> None:
    """After the workbooks are written, as long as the server needs to end every connection that was idle meanwhile."""
    build = built("mariadb", sample)
    script = (
        "import sys, time, mysql.connector as c\n"
        "from probesheets.export import export\n"
        "from probesheets.cli import main\n"
        "check = export.check_accounts\n"
        "def late(*arguments):\n"
        "    watch = c.connect(host='127.0.0.1', port=int(sys.argv[1]), user='root', autocommit=True)\n"
        "    cursor, deadline, left = watch.cursor(), time.monotonic() + 30, [1]\n"
        "    ours = f\"select 1 from information_schema.processlist where user = 'analyst' and id > {sys.argv[2]}\"\n"
        "    while left and time.monotonic() < deadline:\n"
        "        cursor.execute(ours)\n"
        "        left = cursor.fetchall()\n"
        "    return check(*arguments)\n"
        "export.check_accounts = late\n"
        "main(sys.argv[3:])"
    )
    [(newest,)] = mariadb_server.root.execute("select max(id) from information_schema.processlist")
    python = str(mysql_environment() / "bin" / "python")
    arguments = [str(mariadb_server.port), str(newest), "export", "--target", "mariadb", "--out", str(tmp_path / "out")]
    mariadb_server.root.execute("set global wait_timeout = 1")
    try:
        result = run([python, "-c", script, *arguments], build.folder, {**build.environment, "PYTHONPATH": str(ROOT)})
    finally:
        mariadb_server.root.execute("set global wait_timeout = 28800")
    assert result.returncode == 0, result.stderr
    assert list(verify(tmp_path / "out")) == []
