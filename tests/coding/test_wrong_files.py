"""What is wrong with what coders send back: what stops `probesheets codes`, and what it lists."""

import csv
import shutil
import sqlite3
import zipfile
from pathlib import Path

import openpyxl
import pytest

from probesheets.coding.documents import read_documents
from probesheets.coding.seeds import COLUMNS
from probesheets.errors import ProbesheetsError
from probesheets.refi_qda.read import read_sources
from tests.build import Build, make_project
from tests.coding.coders import code_in_qualcoder, foreign_project, qualcoder_project, type_codes
from tests.coding.lab import HUMOUR, RULES, Lab, new_lab, refused
from tests.exporter.command import probesheets
from tests.exports import sheet


@pytest.fixture(scope="module")
def plain(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Without a deal. Nothing here changes it, but for the test of what is read and does not count."""
    lab = new_lab(built_sample, tmp_path_factory.mktemp("plain") / "p")
    how = ["--sample", "4", "--coders", "Ana,Ben", "--overlap", "0%", "--only", "with_links"]
    done = lab.run("export", *how, "--out", "deal")
    assert done.code == 0, done.err
    return lab


def test_who_coded_must_be_known(plain: Lab, texts: dict[str, str], tmp_path: Path) -> None:
    file = qualcoder_project(tmp_path / "p.qda", {"T2": texts["T2"], "T7": texts["T7"]})
    assert "has no codings, and so no coder. Add --coder NAME" in refused(plain, file)
    code_in_qualcoder(file, [("T2", HUMOUR, 0, 4)], "default")
    assert "does not say who has coded it. Add --coder NAME" in refused(plain, file)
    code_in_qualcoder(file, [("T7", HUMOUR, 0, 4)], "Ben")
    assert "has codings of default, Ben. Rename the coder in QualCoder" in refused(plain, file, "--coder", "Ana")
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
    assert "has no manifest.json. Give --deal" in refused(plain, file, "--coder", "Ben", "--deal", tmp_path)


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
    assert "has 1 text, but none with a Record ID of this project" in refused(plain, file)
    file.write_bytes(file.read_bytes()[:200])
    assert "p.qdpx cannot be read: it is damaged, or no project of REFI-QDA" in refused(plain, file)
    null = foreign_project(tmp_path / "null.qdpx", {"T2": texts["T2"]}, [("T2", "Null", 0, 3)], "Ana", "x")
    assert "source T2: a code cannot have the name 'Null'. Rename it" in refused(plain, null)


def test_other_files(plain: Lab, tmp_path: Path) -> None:
    assert "x.docx cannot be read. Give QualCoder's folder" in refused(plain, tmp_path / "x.docx")
    assert "none.qda does not exist" in refused(plain, tmp_path / "none.qda")
    assert "none.xlsx cannot be read: " in refused(plain, tmp_path / "none.xlsx", "--coder", "Ana")
    for name in ("damaged.xlsx", "damaged.qdpx"):
        (tmp_path / name).write_bytes(b"PK\3\4 and no more")
        assert f"{name} cannot be read: " in refused(plain, tmp_path / name, "--coder", "Ana")
    with zipfile.ZipFile(tmp_path / "empty.qdpx", "w") as archive:
        archive.writestr("x", "")
    assert "no project of REFI-QDA" in refused(plain, tmp_path / "empty.qdpx")


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
    assert "row 3, Code: Humour: 'maybe' is not a valid value. Write x, 1 or yes" in said


def test_a_seed_that_was_edited_wrongly(plain: Lab, texts: dict[str, str], tmp_path: Path) -> None:
    file = plain.folder / "seeds" / "codebook.csv"
    before = file.read_bytes()
    ana = one_coder(tmp_path, texts, "Ana")
    for content in (b"code,description\nMoney,A price, or a payment\n", b"code,description\nGl\xfcck,\n"):
        file.write_bytes(content)
        assert "seeds/codebook.csv cannot be read: " in refused(plain, ana)
        assert file.read_bytes() == content
    file.write_bytes(before)


def test_headers_of_codes_may_be_written_in_other_ways(texts: dict[str, str], tmp_path: Path) -> None:
    sheets = [("Record ID", "Text")]

    def codes_of(*headers: str) -> list[list[str]]:
        book = openpyxl.Workbook()
        book.active.append(["Record ID", "Text", *headers])
        book.active.append(["T2", texts["T2"], *["x" if "code:" in name.lower() else "D; E" for name in headers]])
        book.save(tmp_path / "x.xlsx")
        return [[coding[1] for coding in one.codings] for one in read_documents(tmp_path / "x.xlsx", sheets)]

    assert codes_of("Code: A", "code:B", "CODE : C", " codes ") == [["A", "B", "D", "E"]]
    with pytest.raises(ProbesheetsError, match="has a code twice"):
        codes_of("Code: A", "Code:A")


def test_projects_of_programs_with_nested_codes_and_names_that_repeat(tmp_path: Path) -> None:
    file = foreign_project(tmp_path / "p.qdpx", {"T2": "one two"}, [("T2", "Good", 0, 3)], "Ana", "x")
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    xml = parts["project.qde"]
    first = xml[xml.index("<Code ") : xml.index("</Codes>")]
    second = first.replace('guid="', 'guid="0')
    outer = '<Code guid="{}" name="{}" isCodable="true">{}</Code>'
    nested = outer.format(1, "Money", first) + outer.format(2, "Rules", second)
    source = xml[xml.index("<TextSource") : xml.index("</Sources>")]
    again = source.replace('CodeRef targetGUID="', 'CodeRef targetGUID="0')
    parts["project.qde"] = xml.replace(first, nested).replace(source, source + again)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    found = [(one.name, one.place, [coding[1] for coding in one.codings]) for one in read_sources(file)]
    assert found == [("T2", "source T2", ["Good"]), ("T2", "source T2 (2)", ["Rules/Good"])]


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
    assert "Ana has coded 1 record differently in two files. One of them is T2: Rules in old.xlsx, Humour" in said
    assert "--replace" in said
    done = lab.run("codes", file, "--replace")
    assert done.code == 0, done.err
    rows = [(row["file"][-8:], row["record"], row["code"]) for row in lab.seed()]
    assert [row for row in rows if row[0] == "old.xlsx"] == [("old.xlsx", "T7", ""), ("old.xlsx", "T7", HUMOUR)]
    assert "Two codes look alike: Humor (1) and Humour (3)." in done.err
    other = qualcoder_project(tmp_path / "other.qda", {"T15": texts["T15"]})
    code_in_qualcoder(other, [("T15", RULES, 0, 4)], "Ana")
    assert "T15: Humor in ../ana.qda, Rules in ../other.qda" in refused(lab, file, other)  # also of one command
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
    assert "sorted one column of a workbook without the others" in done[0].err
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
    make_project(tmp_path / "p", coding=True)
    environment = {"PROBESHEETS_DUCKDB": str(tmp_path / "none.duckdb")}
    result = probesheets(tmp_path / "p", environment, "codes", str(one_coder(tmp_path, texts, "Ana")))
    assert result.code == 1 and "Run: probesheets run" in result.err
