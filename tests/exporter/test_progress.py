"""What a person sees at a terminal while a command works, and a script does not see."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.build import Build, Source, command, make_project, own_environment
from tests.conftest import Builder
from tests.servers import ROOT

STEPS = r"models and tests .*?(\d+)/(\d+)"


def at_a_terminal(folder: Path, environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code and everything that appeared at the terminal."""
    ours, theirs = pty.openpty()
    program = [str(command("duckdb", "probesheets")), *arguments]
    child = subprocess.Popen(
        program,
        cwd=folder,
        env=own_environment({**environment, "TERM": "xterm"}, folder),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    try:
        while chunk := os.read(ours, 65536):
            told += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return child.wait(), told.decode()


@pytest.fixture
def build(built: Builder, sample: Source) -> Build:
    return built("duckdb", sample)


def test_run_shows_how_far_the_build_is(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    code, told = at_a_terminal(tmp_path / "p", {}, "run", "--out", "out")
    assert code == 0
    steps = {(int(done), int(every)) for done, every in re.findall(STEPS, told)}
    assert len(steps) > 5 and max(steps)[0] == max(steps)[1] > 50
    assert "with_links" in told and "without_links" in told
    assert re.search(r"\d:\d\d:\d\d", told)  # how long still
    assert "WARN dates_not_understood: 3 rows (" in told  # what dbt warns of is not swallowed
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in readme.split("```text make sheets\n")[1].split("```")[0].splitlines():
        assert line in told
    assert " START " not in told and "Exported 307 of 310 text rows" in told


def test_a_build_that_fails_at_a_terminal_says_why(tmp_path: Path) -> None:
    make_project(tmp_path / "p")
    code, told = at_a_terminal(tmp_path / "p", {}, "run", "--vars", "{text_tag: none}", "--out", "out")
    assert code == 1
    assert "text_tag is 'none', but no row of table_output has this tag" in told
    assert not (tmp_path / "p" / "out").exists()


def test_export_and_verify_show_bars_unless_quiet(build: Build, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    for arguments, bar in (
        (("export", "--out", out), "without_links"),
        (("verify", out, "--target", "duckdb"), "files"),
    ):
        code, told = at_a_terminal(build.folder, build.environment, *arguments)
        assert code == 0 and re.search(rf"{bar} .*\d+/\d+", told), told
        assert at_a_terminal(build.folder, build.environment, *arguments, "--quiet") == (0, "")


def test_scripts_get_data_on_stdout_and_no_bars(build: Build, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    export = build.probesheets("export", "--out", out, "--json")
    assert json.loads(export.stdout)["totals"]["texts"] == 308 and "\x1b" not in export.stderr
    probes = json.loads(build.probesheets("probes", "--json").stdout)
    assert sum(probe["text_count"] for probe in probes) == 308
    [masks] = [probe for probe in probes if probe["file_stem"] == "masks-are-96ca1b6f084fafd4"]
    assert (masks["probe"], masks["first_date"]) == ("Masks are", "2020-03-07")
    assert json.loads(build.probesheets("verify", out, "--json").stdout) == {
        "folder": out,
        "differences": [],
        "more": False,
        "other_build": None,
    }
    (tmp_path / "out" / "mine.txt").write_text("mine")
    verify = build.probesheets("verify", out, "--json")
    assert verify.returncode == 1
    assert json.loads(verify.stdout)["differences"] == ["mine.txt: was not written by an export."]
