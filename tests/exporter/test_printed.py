"""Printed text contains no character from a source that controls a terminal or fakes a line."""

import csv
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from probesheets.errors import near, printable, shown
from tests.build import command as executable
from tests.build import make_project, run
from tests.exporter.command import Result, probesheets

FAKE = "Error: all fine"
HOSTILE = f"\x1b]0;owned\x07\x1b[2J\x7f\x9b31m\u202edlo\u2066\u2028\n{FAKE}\r{FAKE}\t"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
BIDI = "Say \u202eyas\u2066 this"  # cleaning leaves these in a probe; other controls it takes out


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("printed") / "p"
    make_project(folder)
    write(folder / "source.csv", "mood")
    return folder


def write(file: Path, *more: str) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "experiment_id", "root_id", "tag", "probe", "content", *more])
        extra = ["x" for _ in more]
        writer.writerow([1, 1, 0, "raw", BIDI, "x", *extra])
        writer.writerow([2, 1, 1, "trimmed", BIDI, "a text", *extra])
        writer.writerow([3, 1, 1, "date", BIDI, HOSTILE, *extra])
        writer.writerow([4, 1, 1, HOSTILE, HOSTILE, "x", *extra])
        writer.writerow([5, 1, 1, "Trimmed" + HOSTILE, HOSTILE, "x", *extra])
        writer.writerow([6, 1, 1, "trimmed", HOSTILE.upper(), "a text", *extra])
        writer.writerow([7, 1, 1, "trimmed", HOSTILE, "a text", *extra])


def ask(folder: Path, *arguments: str) -> Result:
    return probesheets(folder, {}, *arguments)


def check_printed(result: Result, *parts: str) -> None:
    """Text from a source neither controls the terminal nor begins a line, and the output contains the parts."""
    for text in (result.out, result.err):
        assert not CONTROLS.search(text), ascii(text)
        assert not any(line.startswith(FAKE) for line in text.splitlines()), text
    assert "Traceback" not in result.err
    for part in parts:
        assert part in result.out + result.err, result.out + result.err


def test_a_message_shows_what_it_does_not_print() -> None:
    assert (
        printable("a\tb\nc\x1b[2J\x9b\x7f\u202e é 漢 😀\u200d")
        == "a\tb\nc\\u001b[2J\\u009b\\u007f\\u202e é 漢 😀\u200d"
    )
    assert shown("a\tb\nc\r") == "a\\tb\\nc\\u000d"
    assert near("x", ["x\ny", "z"]) == "Valid: x\\ny, z."
    data = {"all": "".join(map(chr, range(0x3000))), HOSTILE: HOSTILE}
    assert json.loads(printable(json.dumps(data, ensure_ascii=False, indent=1))) == data


def test_check(project: Path) -> None:
    check_printed(ask(project, "check", "--source", "source.csv"), "owned", "run would succeed")
    result = ask(project, "check", "--source", "source.csv", "--json")
    check_printed(result)
    assert "owned" in "".join(finding["text"] for finding in json.loads(result.out))


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("variables", [{"text_tag": HOSTILE + "x"}, {"extra_columns": [HOSTILE]}])
def test_variables_and_columns(project: Path, command: str, variables: Mapping[str, object]) -> None:
    write(project / "columns.csv", HOSTILE)
    result = ask(
        project, command, "--source", "columns.csv", "--vars", json.dumps(variables).replace("\x7f", "\\u007f")
    )
    assert result.code == 1
    check_printed(result, "owned")


def test_a_file_without_the_columns(project: Path) -> None:
    (project / "none.csv").write_text(f'id,"{HOSTILE}"\n1,2\n', encoding="utf-8", newline="")
    for command in ("check", "run"):
        check_printed(ask(project, command, "--source", "none.csv"), "has no column", "owned")


def test_what_dbt_says(project: Path) -> None:
    """For a tag that does not exist, dbt and `run` name the tags that do."""
    folder = project.parent / "by_hand"
    make_project(folder)
    assert ask(folder, "run", "--source", str(project / "source.csv")).code == 0
    variables = '{text_tag: "no\\e[2J\\nError: all fine"}'
    check_printed(ask(folder, "run", "--vars", variables), "no\\u001b[2J", "owned")
    arguments = ["--no-use-colors", "build", "--profiles-dir", ".", "--vars", variables]
    dbt = run([str(executable("duckdb", "dbt")), *arguments], folder, {})
    assert dbt.returncode
    check_printed(Result(1, dbt.stdout, dbt.stderr), "no\\u001b[2J", "owned")
    shutil.rmtree(folder)


def test_probes_export_and_verify(project: Path) -> None:
    assert ask(project, "run", "--source", "source.csv", "--out", "sheets").code == 0
    table = ask(project, "probes")
    check_printed(table, "Say \\u202eyas\\u2066 this")
    assert len(table.out.splitlines()) == 4
    as_json = ask(project, "probes", "--json")
    check_printed(as_json)
    assert BIDI in [row["probe"] for row in json.loads(as_json.out)]
    check_printed(ask(project, "export", "--probe", "nothing" + HOSTILE), "\\u202eyas", "There is no probe")
    check_printed(ask(project, "export", "--out", f"to{HOSTILE}"), "owned")
    (project / "sheets" / f"my{HOSTILE}").write_text("x", encoding="utf-8")
    for arguments in (["verify", "sheets"], ["verify", "sheets", "--json"]):
        check_printed(ask(project, *arguments), "owned", "was not written by an export")
