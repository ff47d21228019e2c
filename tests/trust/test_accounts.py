"""The accounts of an export: every record that goes in comes out, or the export fails."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from tests.build import Build, Source, command, run
from tests.conftest import Builder
from tests.exports import read_manifest, sheet
from tests.trust.folders import NEW, export


@pytest.mark.parametrize("arguments", [[], ["--probe", "Masks are"], ["--only", "links"]])
def test_what_went_in_comes_out(arguments: list[str], built_sample: Build, sample: Source, tmp_path: Path) -> None:
    """Counted here in the source's rows and in the workbooks, without the export's own code."""
    assert export(built_sample, NEW, tmp_path, *arguments)[0] == 0
    told = read_manifest(tmp_path)
    tags = Counter(row["tag"] for row in sample.outputs)
    totals = told["totals"]
    assert (totals["text_rows"], totals["raw_rows"]) == (tags["trimmed"], tags["raw"])
    assert totals["text_rows"] == totals["texts"] + totals["left_out"]["blank text"]
    roots = {row["root_id"] for row in sample.outputs if row["tag"] == "trimmed"}
    without = [row["id"] for row in sample.outputs if row["tag"] == "raw" and row["id"] not in roots]
    assert totals["left_out"]["no text row"] == len(without)
    used = ("trimmed", "date", "raw", "location", "author")
    unused = Counter(row["tag"].strip() for row in sample.outputs if row["tag"] not in used)
    assert totals["rows_of_unused_tags"] == unused
    rows = {file["path"]: sheet(tmp_path / file["path"])[1:] for file in told["files"] if file.get("columns")}
    for file in told["files"]:
        if file.get("columns"):
            assert file["rows"] == len(rows[file["path"]])
            assert file["records"] == sum(row[0].count("-") == ("L" in row[0]) for row in rows[file["path"]])
    if not arguments:
        assert totals["texts"] == sum(file["records"] for file in told["files"] if file["kind"] == "with_links")
        by_probe = Counter(row[7] for row in rows["links.xlsx"])
        for file in told["files"]:
            if file["kind"] == "with_links":
                links = sum(row[5] for row in rows[file["path"]] if "-" not in row[0])
                assert links == by_probe[file["probe"]]
        assert totals["links"] == by_probe.total()


def test_tags_that_look_alike_are_counted_together(built_sample: Build, tmp_path: Path) -> None:
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "insert into tags (tag, row_count, used_as) values ('full', 5, 'not used'), ('trimmed', 7, 'not used')"
        )
    assert export(built_sample, {**NEW, "PROBESHEETS_DUCKDB": str(database)}, tmp_path / "out")[0] == 0
    told = read_manifest(tmp_path / "out")
    assert told["totals"]["rows_of_unused_tags"] == {"Date": 1, "Trimmed": 1, "full": 25, "trimmed": 7}


def test_what_was_too_long_is_said(built: Builder, generated: Source, engine: str, tmp_path: Path) -> None:
    """The run's length is counted here by Python, in the texts that the models hold."""
    build = built(engine, generated)
    runs = [re.split("[ \n\u3001\u3002\uff0c]", text) for (text,) in build.rows("texts", ["text"])]
    too_long = [
        text for text in runs if any(len(run) > 32_767 and ("." in run or ":/" in run or "…" in run) for run in text)
    ]
    result = build.probesheets("export", "--target", engine, "--only", "links", "--out", str(tmp_path / "out"))
    assert result.returncode == 0, result.stderr
    told = read_manifest(tmp_path / "out")
    assert told["totals"]["texts_too_long_for_links"] == len(too_long) > 3
    assert f"which was not searched for links: {len(too_long)}." in result.stderr


TAMPERED = {
    "a text twice": "insert into texts select * from texts limit 1",
    "a text without links less": "delete from texts_without_links where text_id % 9 = 0",
    "a link less": "delete from links where link_number = 2",
    "texts moved": "update accounts set texts = texts - 1, blank_texts = blank_texts + 1",
    "a raw row more": "update accounts set raw_rows = raw_rows + 1",
}
TESTS = ["accounts_agree", "probes_agree", "links_are_all_listed", "texts_are_the_same_with_and_without_links"]


@pytest.mark.parametrize("case", TAMPERED)
def test_a_sum_that_is_not_right_fails_a_test_and_stops_the_export(
    case: str, built_sample: Build, sample: Source, tmp_path: Path
) -> None:
    """What no model does, done by hand: dbt's tests find it, and nothing is exported after they failed."""
    database = tmp_path / "probesheets.duckdb"
    shutil.copy(built_sample.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute(TAMPERED[case])
    environment = {**built_sample.environment, "PROBESHEETS_DUCKDB": str(database)}
    variables = json.dumps(dict(sample.variables))
    arguments = ["test", "--select", *TESTS, "--target-path", str(tmp_path / "target"), "--vars", variables]
    tested = run([str(command("duckdb", "dbt")), *arguments], built_sample.folder, environment)
    assert tested.returncode == 1, tested.stdout
    code, said = export(built_sample, {**NEW, "PROBESHEETS_DUCKDB": str(database)}, tmp_path / "out")
    assert code == 1 and "did not pass" in said, said
    assert not list((tmp_path / "out").rglob("*.xlsx"))
