"""Where a command reads and writes: output folders that cannot be used, and a DuckDB file that is locked."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import make_project
from tests.exporter.command import probesheets
from tests.exporter.promises import write_source

LOCK = "import duckdb, sys\nopened = duckdb.connect(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path / "p")
    write_source(tmp_path / "p" / "source.csv")
    return tmp_path / "p"


@pytest.mark.parametrize("command", ["run", "export"])
@pytest.mark.parametrize(
    "out",
    [".", "models", "macros/text", "tests", "sample", "target", "logs/sheets", "docs", "exporter", "out/../models"],
)
def test_a_folder_of_the_project(command: str, out: str, project: Path) -> None:
    """Refused before anything is built or read."""
    before = sorted(project.rglob("*"))
    for place in (out, str(project / out)):
        result = probesheets(project, {}, command, "--out", place)
        assert result.code == 1
        assert f"{place} belongs to the project. Give another folder with --out, such as out." in result.err
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("command", ["run", "export"])
@pytest.mark.parametrize("out", ["source.csv", "source.csv/sheets", "source.csv/a/b"])
def test_a_file_is_no_folder(command: str, out: str, project: Path) -> None:
    before = sorted(project.rglob("*"))
    result = probesheets(project, {}, command, "--out", out)
    assert result.code == 1 and "source.csv is a file. Give a folder with --out, such as out." in result.err
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("out", ["models2", "out/models", "../models", "a/target"])
def test_a_folder_that_is_named_alike_is_not_refused(out: str, project: Path) -> None:
    assert "does not exist yet. Run: probesheets run" in probesheets(project, {}, "export", "--out", out).err


@pytest.fixture
def holder(project: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program, which has the database open for writing."""
    command = [sys.executable, "-c", LOCK, str(project / "probesheets.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == "open\n"
        yield process
        process.stdin.close()


def test_a_locked_file(project: Path, holder: subprocess.Popen[str]) -> None:
    """Every command that opens it says the same, and names the program."""
    commands = ["run", "run --source source.csv", "check", "check --source source.csv", "export", "probes"]
    for command in [*commands, "verify out --target duckdb"]:
        result = probesheets(project, {}, *command.split())
        assert result.code == 1
        lines = [line.strip() for line in (result.out + result.err).splitlines()]
        [at] = [number for number, line in enumerate(lines) if "is in use by another program: " in line]
        assert str(project / "probesheets.duckdb") in lines[at] and lines[at].endswith(f"(PID {holder.pid})"), command
        assert lines[at + 1] == "Close that program, or wait until it ends. Then run the same command again."
