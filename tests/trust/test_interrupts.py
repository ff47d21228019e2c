"""Ctrl-C, while an export reads, publishes, asks a database, and while dbt builds: one sentence, exit code 130."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from probesheets.warehouse import DuckDB
from tests.build import Build, Source, command, make_project, run
from tests.conftest import Builder
from tests.exports import contents
from tests.servers import ROOT, Server, mysql_environment
from tests.trust.folders import NEW, Exports, check_nothing_is_half_written, check_that_it_completes, export
from tests.trust.processes import Child, Starter, send_when


def check_interrupted(child: Child, build: Build, folder: Path, exports: Exports) -> None:
    code, said = child.end()
    assert code == 130, said
    assert "Stopped" in said and "run the same command again" in said and "Traceback" not in said
    check_nothing_is_half_written(folder, exports)
    check_that_it_completes(build, folder, exports)


def test_interrupted_while_it_reads(built_sample: Build, folder: Path, exports: Exports, start: Starter) -> None:
    """Ctrl-C as soon as the export has begun to write."""
    child = start(built_sample, NEW, "export", "--out", str(folder))
    child.go()
    send_when(child.process, lambda: any(folder.glob(".probesheets-*/*")), signal.SIGINT)
    check_interrupted(child, built_sample, folder, exports)


@pytest.mark.parametrize("rename", [1, 2, 8, 20])
def test_interrupted_while_files_get_their_names(
    rename: int, built_sample: Build, folder: Path, exports: Exports, start: Starter
) -> None:
    child = start(built_sample, {**NEW, "SIGINT_AT_RENAME": str(rename)}, "export", "--out", str(folder))
    child.go()
    check_interrupted(child, built_sample, folder, exports)


def test_interrupted_in_a_query(built_sample: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB gives a RuntimeError of its own when Ctrl-C finds it at work."""
    slow = "select sum(one.range * two.range) from range(1000000) as one, range(1000000) as two"
    rows = DuckDB.rows
    monkeypatch.setattr(DuckDB, "rows", lambda self, query: rows(self, slow if "file_stem" in query else query))
    ctrl_c = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    ctrl_c.start()
    try:
        code, said = export(built_sample, NEW, tmp_path / "out")
    finally:
        ctrl_c.cancel()
    assert (code, said) == (
        130,
        "Stopped. No file was left half-written. To complete the work, run the same command again.\n",
    )
    assert not contents(tmp_path / "out")


def test_interrupted_while_a_server_is_read(
    built: Builder, sample: Source, mariadb_server: Server, tmp_path: Path
) -> None:
    """It is no error to stop reading early, in the main thread (verify) or in another one."""
    build = built("mariadb", sample)
    out = str(tmp_path / "out")
    assert build.probesheets("export", "--target", "mariadb", "--out", out).returncode == 0
    for path in sorted((tmp_path / "out" / "with_links").iterdir())[:2]:
        path.unlink()  # verify stops reading after ten differences; there are more
    script = (
        "import sys, os, signal, threading\n"
        "from probesheets.warehouse import server\n"
        "from probesheets.cli import main\n"
        "read = server.Server.stream\n"
        "def interrupted(self, query):\n"
        "    for number, batch in enumerate(read(self, query)):\n"
        "        yield batch\n"
        "        if once.acquire(blocking=False):\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "once = threading.Lock()\n"
        "server.Server.stream, server.CHUNK_ROWS = interrupted, 5\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "main(sys.argv[1:])"
    )
    python = mysql_environment() / "bin" / "python"
    for arguments in (["export", "--out", str(tmp_path / "new")], ["verify", out]):
        environment = {**build.environment, "PYTHONPATH": str(ROOT)}
        result = run([str(python), "-c", script, *arguments, "--target", "mariadb"], build.folder, environment)
        assert (result.returncode, result.stderr) == (
            130,
            "Stopped. No file was left half-written. To complete the work, run the same command again.\n",
        )
    assert not contents(tmp_path / "new")


def test_interrupted_while_dbt_builds(tmp_path: Path) -> None:
    """At a terminal, where Ctrl-C reaches all that run in front: one sentence, and dbt is gone."""
    make_project(tmp_path / "p")
    arguments = [str(command("duckdb", "probesheets")), "run", "--out", "out"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PROBESHEETS_", "DBT_"))}
    process = subprocess.Popen(
        arguments, cwd=tmp_path / "p", env=clean, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr
    said = ""
    while "bundled sample" not in said:  # what the first hook of dbt says
        line = process.stderr.readline()
        assert line, said
        said += line
    os.killpg(process.pid, signal.SIGINT)
    said = process.stderr.read()
    assert process.wait() == 130
    assert said.endswith("Stopped. No file was left half-written. To complete the work, run the same command again.\n")
    assert "Traceback" not in said and "leaked" not in said
    assert run(arguments, tmp_path / "p", {}).returncode == 0
