"""`probesheets codes` and `agreement`: what comes back from coders, and what is wrong with it."""

import csv
import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from probesheets.coding.seeds import COLUMNS
from tests.build import Build, make_project, own_seeds
from tests.coding.coders import code_in_qualcoder, foreign_project, qualcoder_project, type_codes
from tests.exporter.command import Result, probesheets
from tests.exports import sheet

THREE = ["--sample", "5", "--coders", "Ana,Ben,Cleo", "--overlap", "50%"]
CODES = "code\nHumour\nRules\nDon't know\n"
HUMOUR, RULES, UNSURE = "Humour", "Rules", "Don't know"


@dataclass(frozen=True)
class Lab:
    """A project folder with seeds of its own, and the models of the sample."""

    build: Build

    def run(self, *arguments: object) -> Result:
        return probesheets(self.build.folder, self.build.environment, *map(str, arguments))

    @property
    def folder(self) -> Path:
        return self.build.folder

    def seed(self, name: str = "codings") -> list[dict[str, str]]:
        with (self.folder / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


def new_lab(built_sample: Build, folder: Path) -> Lab:
    make_project(folder)
    own_seeds(folder)
    shutil.copy(built_sample.database, folder / "probesheets.duckdb")
    return Lab(Build("duckdb", folder, {"PROBESHEETS_DUCKDB": str(folder / "probesheets.duckdb")}, "", 0))


@pytest.fixture(scope="module")
def texts(built_sample: Build) -> dict[str, str]:
    return {str(record): str(text) for record, text in built_sample.rows("texts", ["record_id", "text"])}


@pytest.fixture(scope="module")
def lab(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """With a sample dealt to three coders."""
    lab = new_lab(built_sample, tmp_path_factory.mktemp("lab") / "p")
    (lab.folder / "codes.csv").write_text(CODES, encoding="utf-8")
    only = ["--only", "with_links", "--only", "qdpx", "--only", "qualcoder"]
    done = lab.run("export", *THREE, "--codebook", "codes.csv", *only, "--out", "coding")
    assert done.code == 0, done.err
    return lab


def dealt_to(lab: Lab, coder: str) -> list[str]:
    files = sorted((lab.folder / "coding" / coder / "with_links").iterdir())
    return [row[0] for file in files for row in sheet(file)[1:] if "-" not in row[0]]


def stretches(texts: dict[str, str], records: list[str]) -> list[tuple[str, str, int, int]]:
    """Two stretches in every second text, the second one of the last characters."""
    found = []
    for record in records[::2]:
        size = len(texts[record])
        found += [(record, HUMOUR, 0, min(4, size)), (record, UNSURE, max(size - 3, 0), size)]
    return found


@pytest.fixture(scope="module")
def home(lab: Lab, texts: dict[str, str]) -> Iterator[tuple[Result, Result, dict[str, Any]]]:
    """Ana typed codes, Ben coded in QualCoder, Cleo in another program on Windows; what was said, and what they did."""
    done: dict[str, Any] = {coder: dealt_to(lab, coder) for coder in ("Ana", "Ben", "Cleo")}
    workbooks = sorted((lab.folder / "coding" / "Ana" / "with_links").glob("*.xlsx"))
    typed: list[dict[str, object]] = [{"Code: Humour": "x"}, {"Code: Humour": "YES ", "Code: Rules": 1}, {}, {"Codes": "Rules; Don't know ;"}]
    cells = {record: typed[place % 4] for place, record in enumerate(done["Ana"])}
    for file in workbooks:
        type_codes(file, cells, more="Codes")
    survey = qualcoder_project(lab.folder / "ben.qda", {record: texts[record] for record in done["Ben"]}, survey=True)
    ben = stretches(texts, done["Ben"])
    code_in_qualcoder(survey, [(f"{record}_Text", code, start + 8, end + 8) for record, code, start, end in ben], "Ben")
    code_in_qualcoder(survey, [(f"{done['Ben'][0]}_Text", "Speaker", 0, 3)], "📌 Speaker coding")
    windows = {record: texts[record].replace("\n", "\r\n") for record in done["Cleo"]}
    cleo = stretches(windows, done["Cleo"])
    foreign_project(lab.folder / "cleo.qdpx", windows, cleo, "Cleo", "Another program")
    first = lab.run("codes", *workbooks, "--coder", "Ana", "--deal", "coding")
    second = lab.run("codes", "ben.qda", "cleo.qdpx", "--deal", "coding")
    yield first, second, {**done, "cells": cells, "ben": ben, "cleo": (windows, cleo)}


def test_each_coding_comes_back_to_its_place(lab: Lab, texts: dict[str, str], home: Any) -> None:
    first, second, done = home
    assert first.code == second.code == 0, first.err + second.err
    columns = ["coder", "record_id", "code", "quote", "status", "start_position"]
    rows = lab.build.rows("codings", columns)
    assert {row[4] for row in rows} == {"matched"}
    found = {coder: sorted(row[1:4] for row in rows if row[0] == coder) for coder in ("Ana", "Ben", "Cleo")}
    assert found["Ben"] == sorted((record, code, texts[record][start:end]) for record, code, start, end in done["ben"])
    windows, cleo = done["cleo"]
    expected = [(record, code, windows[record][start:end].replace("\r\n", "\n")) for record, code, start, end in cleo]
    assert found["Cleo"] == sorted(expected) and any("\n" in text for text in texts.values())
    typed = {"x": [HUMOUR], "YES ": [HUMOUR, RULES], "Rules; Don't know ;": [RULES, UNSURE]}
    cells = {record: str(next(iter(some.values()))) for record, some in done["cells"].items() if some}
    ana = sorted((record, code) for record in cells for code in typed[cells[record]])
    assert [row[:2] for row in found["Ana"]] == ana
    assert all(row[2] == texts[row[0]] for row in found["Ana"])


def test_what_was_seen_without_a_code_is_said(lab: Lab, home: Any) -> None:
    first, second, done = home
    without = sum(not cells for cells in done["cells"].values())
    assert f"Ana: {len(done['Ana'])} texts seen, {without} of them without a code." in first.err
    seen = len(done["Ben"])
    assert f"Ben: {seen} texts seen, {seen // 2} of them without a code. {len(done['ben'])} codings." in second.err
    assert len({row[0] for row in lab.build.rows("seen_texts", ["record_id", "coder"]) if row[1] == "Ben"}) == seen
    assert {row["round"] for row in lab.seed()} == {"1"} and len(lab.seed("codebook")) == 3


def test_agreement_is_printed_and_exported(lab: Lab, home: Any) -> None:
    done = lab.run("agreement")
    assert done.code == 0 and done.out.splitlines()[0].split()[:4] == ["code", "coders", "units", "percent"], done.err
    rows = json.loads(lab.run("agreement", "--json").out)
    assert [row["code"] for row in rows] == ["(all codes)", UNSURE, HUMOUR, RULES]
    names = ["code", "coders", "units", "percent", "kappa", "alpha", "alpha_low", "alpha_high", "ac1"]
    assert all(list(row)[:9] == names and row["coders"] == 3 and row["kappa"] is None for row in rows)
    shared = set(home[2]["Ana"]) & set(home[2]["Ben"]) & set(home[2]["Cleo"])
    assert {row["units"] for row in rows[1:]} == {len(shared)} and rows[0]["units"] == 3 * len(shared)
    assert "Some coders never used these codes: Rules (2)." in done.out
    assert lab.run("agreement", "--round", "2").err == "Error: There is no round 2. Valid: 1.\n"
    assert json.loads(lab.run("agreement", "--round", "1", "--json").out) == rows
    exported = lab.run("export", "--only", "agreement", "--only", "codes", "--out", "results")
    assert exported.code == 0, exported.err
    header, *cells = sheet(lab.folder / "results" / "agreement.xlsx")
    place = header.index("Krippendorff's alpha")
    assert {row[0]: row[place] for row in cells} == {row["code"]: row["alpha"] for row in rows}
    assert "Alpha low (95% jackknife)" in header and len(sheet(lab.folder / "results" / "codes.xlsx")) > 10
    assert lab.run("verify", "results", "--target", "duckdb").code == 0
    overview = openpyxl.load_workbook(lab.folder / "results" / "index.xlsx")["Overview"]
    titles = [chart.title.tx.rich.p[0].r[0].t for chart in overview._charts]
    assert titles[1] == "Codes per month" and len(titles) == 4


def test_a_file_that_is_read_again_replaces_its_rows(lab: Lab, home: Any) -> None:
    """And a full build loads the seeds, too: the models stay as they are."""
    before = lab.seed()
    again = lab.run("codes", "ben.qda", "--deal", "coding")
    assert again.code == 0 and sorted(map(str, lab.seed())) == sorted(map(str, before))
    assert lab.run("codes", "ben.qda", "--coder", "Benjamin").code == 0  # without a deal: all sources
    assert {row["coder"] for row in lab.seed()} == {"Ana", "Ben", "Benjamin", "Cleo"}


# --- bad input


@pytest.fixture(scope="module")
def plain(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Without a deal. Nothing here changes it, but for the test of what is read and does not count."""
    lab = new_lab(built_sample, tmp_path_factory.mktemp("plain") / "p")
    how = ["--sample", "4", "--coders", "Ana,Ben", "--overlap", "0%", "--only", "with_links"]
    done = lab.run("export", *how, "--out", "deal")
    assert done.code == 0, done.err
    return lab


def refused(lab: Lab, *arguments: object) -> str:
    """The message of a command that must change nothing."""
    before = (lab.folder / "seeds" / "codings.csv").read_bytes()
    result = lab.run("codes", *arguments)
    assert result.code == 1, result.err
    assert (lab.folder / "seeds" / "codings.csv").read_bytes() == before
    return result.err


def test_who_coded_must_be_known(plain: Lab, texts: dict[str, str], tmp_path: Path) -> None:
    file = qualcoder_project(tmp_path / "p.qda", {"T2": texts["T2"], "T7": texts["T7"]})
    assert "does not say who has coded it. Add --coder NAME" in refused(plain, file)
    code_in_qualcoder(file, [("T2", HUMOUR, 0, 4)], "default")
    assert "does not say who has coded it. Add --coder NAME" in refused(plain, file)
    code_in_qualcoder(file, [("T7", HUMOUR, 0, 4)], "Ben")
    assert "has codings of default, Ben. Remove --coder" in refused(plain, file, "--coder", "Ana")
    said = refused(plain, one_coder(tmp_path, texts, "Cy"), "--deal", "deal")
    assert "no texts were dealt to Cy. The coders are Ana, Ben" in said


def one_coder(folder: Path, texts: dict[str, str], coder: str) -> Path:
    file = qualcoder_project(folder / f"{coder}.qda", {"T2": texts["T2"]})
    code_in_qualcoder(file, [("T2", HUMOUR, 0, 4)], coder)
    return file


def test_a_coder_who_saw_nothing(plain: Lab, texts: dict[str, str], tmp_path: Path) -> None:
    other = next(record for record in texts if record not in dealt_texts(plain, "Ben"))
    file = qualcoder_project(tmp_path / "p.qda", {other: texts[other]})
    assert "has no text that Ben has seen" in refused(plain, file, "--coder", "Ben", "--deal", "deal")
    assert "was not dealt" in refused(plain, file, "--coder", "Ben", "--deal", tmp_path)


def dealt_texts(lab: Lab, coder: str) -> set[str]:
    files = (lab.folder / "deal" / coder / "with_links").iterdir()
    return {row[0] for file in files for row in sheet(file)[1:]}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("drop table code_text", "no such table: code_text"),
        ("alter table code_text rename column owner to coder", "no such column: code_text.owner"),
        ("delete from project", "it is of an unknown version"),
    ],
)
def test_a_database_of_another_version(
    plain: Lab, texts: dict[str, str], tmp_path: Path, change: str, part: str
) -> None:
    file = one_coder(tmp_path, texts, "Ana")
    with sqlite3.connect(file / "data.qda") as database:
        database.execute("update project set databaseversion = 'v5'")
        database.execute(change)
    said = refused(plain, file)
    assert part in said and "QualCoder's database v17" in said and "Open the project with a current QualCoder" in said
    assert "it is v5" in said or "unknown version" in said


def test_a_project_of_other_texts(plain: Lab, texts: dict[str, str], tmp_path: Path) -> None:
    file = foreign_project(tmp_path / "p.qdpx", {"Interview 1": "Hello."}, [("Interview 1", HUMOUR, 0, 3)], "Ana", "x")
    assert "has no text of this project: none of its 1 text has one of its Record IDs" in refused(plain, file)
    file.write_bytes(file.read_bytes()[:200])
    assert "p.qdpx cannot be read: it is damaged, or no project of REFI-QDA" in refused(plain, file)
    null = foreign_project(tmp_path / "null.qdpx", {"T2": texts["T2"]}, [("T2", "Null", 0, 3)], "Ana", "x")
    assert "source T2: a code or a coder must be renamed" in refused(plain, null)


def test_other_files(plain: Lab, tmp_path: Path) -> None:
    assert "x.docx cannot be read. Give QualCoder's folder" in refused(plain, tmp_path / "x.docx")
    assert "none.qda does not exist" in refused(plain, tmp_path / "none.qda")
    assert "none.xlsx cannot be read: " in refused(plain, tmp_path / "none.xlsx", "--coder", "Ana")


def dealt_workbook(lab: Lab, folder: Path) -> Path:
    """The workbook of Ana with the most texts."""
    files = (lab.folder / "deal" / "Ana" / "with_links").iterdir()
    return Path(shutil.copy(max(files, key=lambda file: (len(sheet(file)), file.name)), folder / "ana.xlsx"))


def test_cells_that_are_neither_yes_nor_no(plain: Lab, tmp_path: Path) -> None:
    file = dealt_workbook(plain, tmp_path)
    said = refused(plain, file, "--coder", "Ana")
    assert "has no columns such as Code: NAME, and no column Codes. Its columns are: Record ID, Text" in said
    record = sheet(file)[2][0]
    type_codes(file, {record: {"Code: Humour": "maybe"}}, more="Code: Humour")
    said = refused(plain, file, "--coder", "Ana")
    assert "row 3, Code: Humour: 'maybe' is neither yes nor no. Write x, 1 or yes" in said


def seed_of(lab: Lab, rows: list[dict[str, str]]) -> None:
    with (lab.folder / "seeds" / "codings.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_two_files_that_disagree(built_sample: Build, texts: dict[str, str], tmp_path: Path) -> None:
    lab = new_lab(built_sample, tmp_path / "p")
    same = dict.fromkeys(COLUMNS, "") | {"coder": "Ana", "file": "old.xlsx", "text_length": "0", "round": "1"}
    same |= {"start_position": "0", "end_position": "0"}
    old = [{**same, "place": f"row {n}", "record": record, "code": code} for n, record, code in (
        (2, "T2", ""), (2, "T2", RULES), (3, "T7", ""), (3, "T7", HUMOUR)
    )]  # fmt: skip
    seed_of(lab, old)
    file = qualcoder_project(tmp_path / "ana.qda", {record: texts[record] for record in ("T2", "T7", "T15")})
    code_in_qualcoder(file, [("T2", HUMOUR, 0, 4), ("T7", HUMOUR, 0, 4), ("T15", "Humor", 0, 4)], "Ana")
    said = refused(lab, file)
    assert "Ana has coded 1 record differently in another file. One of them is T2: Rules in old.xlsx, Humour" in said
    assert "--replace" in said
    done = lab.run("codes", file, "--replace")
    assert done.code == 0, done.err
    rows = [(row["file"][-8:], row["record"], row["code"]) for row in lab.seed()]
    assert [row for row in rows if row[0] == "old.xlsx"] == [("old.xlsx", "T7", ""), ("old.xlsx", "T7", HUMOUR)]
    assert "Two codes look alike: Humor (1) and Humour (3)." in done.err
    alone = lab.run("agreement")
    assert alone.code == 0 and "There is only one coder." in alone.out and " nan" not in alone.out


def test_what_does_not_count_is_listed(plain: Lab, texts: dict[str, str], tmp_path: Path) -> None:
    """Record IDs sorted away from their texts, an edited text, a document of another study, a code of no codebook."""
    (plain.folder / "seeds" / "codebook.csv").write_text("code,description\nHumour,\n", encoding="utf-8")
    file = dealt_workbook(plain, tmp_path)
    book = openpyxl.load_workbook(file)
    ids = [row[0] for row in book.active.iter_rows(min_row=2)]
    values = [cell.value for cell in ids]
    for cell, value in zip(ids, [*values[1:], values[0]], strict=True):
        cell.value = value
    book.save(file)
    type_codes(file, {str(ids[0].value): {"Codes": "Humour;Fear"}}, more="Codes")
    sources = {"T2": texts["T2"] + " edited", "T7": texts["T7"], "Interview": "Hello."}
    project = qualcoder_project(tmp_path / "p.qda", sources)
    code_in_qualcoder(project, [("T2", HUMOUR, 0, 4), ("T7", "Fear", 0, 4), ("Interview", HUMOUR, 0, 2)], "Ben")
    done = [plain.run("codes", file, "--coder", "Ana"), plain.run("codes", project)]
    assert all(one.code == 0 for one in done), done[0].err + done[1].err
    assert f"text differs: {ids[0].value}, code Humour (Ana, " in done[0].err and "row 2)" in done[0].err
    assert "sorted the Record IDs of a workbook without their texts" in done[0].err
    for part in ("text differs: T2, code Humour (Ben", "unknown code: T7, code Fear", "unknown record: Interview"):
        assert part in done[1].err, done[1].err
    assert "add it to seeds/codebook.csv and run: dbt build" in done[1].err
    statuses = {row[0] for row in plain.build.rows("codings", ["status"])}
    assert statuses == {"text differs", "unknown code", "unknown record"}
    assert plain.build.rows("coded_texts", ["code"]) == []
    nothing = plain.run("agreement")
    assert nothing.code == 1 and "There are no codings that count" in nothing.err


def test_a_build_that_fails_leaves_the_seeds(built_sample: Build, texts: dict[str, str], tmp_path: Path) -> None:
    lab = new_lab(built_sample, tmp_path / "p")
    (lab.folder / "seeds" / "seeds.yml").write_text("version: [", encoding="utf-8")
    assert "dbt build failed" in refused(lab, one_coder(tmp_path, texts, "Ana"))
    assert [file.name for file in (lab.folder / "seeds").iterdir() if file.suffix == ".new"] == []


def test_models_must_have_been_built(tmp_path: Path, texts: dict[str, str]) -> None:
    make_project(tmp_path / "p")
    environment = {"PROBESHEETS_DUCKDB": str(tmp_path / "none.duckdb")}
    result = probesheets(tmp_path / "p", environment, "codes", str(one_coder(tmp_path, texts, "Ana")))
    assert result.code == 1 and "Run: probesheets run" in result.err
