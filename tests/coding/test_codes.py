"""`probesheets codes` and `agreement`: docs/coding.md as it is written, and what may be wrong with what comes back."""

import csv
import json
import shlex
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from probesheets.coding.documents import read_documents
from probesheets.coding.seeds import COLUMNS
from probesheets.errors import ProbesheetsError
from probesheets.refi_qda.read import read_sources
from tests.build import Build, make_project, own_seeds
from tests.coding.coders import Coding, code_in_qualcoder, foreign_project, qualcoder_project, type_codes
from tests.exporter.command import Result, probesheets
from tests.exporter.test_docs import FENCE
from tests.exporter.test_qualcoder import needs_qualcoder, run_import
from tests.exports import sheet
from tests.servers import ROOT

HUMOUR, RULES, MONEY = "Humour", "Rules", "Money"


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


def part_of_page(name: str) -> str:
    """A part of docs/coding.md."""
    page = (ROOT / "docs" / "coding.md").read_text(encoding="utf-8")
    [content] = [str(content) for _, part, content in FENCE.findall(page) if part == name]
    return content


def run_lines(lab: Lab, content: str) -> list[Result]:
    """Run commands as a shell would."""
    done = []
    for line in content.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "probesheets"
        given: list[list[object]] = [[*sorted(lab.folder.glob(one))] if "*" in one else [one] for one in arguments]
        done.append(lab.run(*(one for some in given for one in some)))
        assert done[-1].code == 0, done[-1].err
    return done


def stretches(texts: dict[str, str], records: list[str]) -> list[Coding]:
    """Two stretches in every second text, the second one of the last characters."""
    found = []
    for record in records[::2]:
        size = len(texts[record])
        found += [(record, HUMOUR, 0, min(4, size)), (record, MONEY, max(size - 3, 0), size)]
    return found


def type_into(files: list[Path], folder: Path, cells: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Copy workbooks into a folder and type codes: a dictionary of `cells` for each record, in turn."""
    folder.mkdir(parents=True)
    typed: dict[str, dict[str, object]] = {}
    for file in files:
        records = [str(row[0]) for row in sheet(file)[1:] if "-" not in row[0]]
        typed |= {record: cells[(len(typed) + place) % len(cells)] for place, record in enumerate(records)}
        type_codes(Path(shutil.copy(file, folder)), typed, more="Codes")
    return typed


@dataclass(frozen=True)
class Page:
    """docs/coding.md up to the agreement: what was said, and what the coders did."""

    lab: Lab
    said: list[Result]
    agreement: list[Result]
    ana: dict[str, dict[str, object]]
    ben: list[Coding]
    cleo: list[Coding]
    seen: dict[str, list[str]]


@pytest.fixture(scope="module")
def page(built_sample: Build, texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Ana typed codes, Ben coded in QualCoder, Cleo in another program on Windows."""
    lab = new_lab(built_sample, tmp_path_factory.mktemp("page") / "p")
    (lab.folder / "codes.csv").write_text(part_of_page("codes.csv"), encoding="utf-8")
    run_lines(lab, part_of_page("deal"))
    coding = lab.folder / "coding"
    projects = {coder: coding / coder / "texts.qdpx" for coder in ("Ana", "Ben", "Cleo")}
    seen = {coder: [source.name for source in read_sources(file)] for coder, file in projects.items()}
    cells: list[dict[str, object]] = [
        {"Code: Humour": "x"}, {"Code: Humour": "YES ", "Code: Rules": 1}, {}, {"Codes": "Rules; Money ;"},
    ]  # fmt: skip
    ana = type_into(sorted((coding / "Ana" / "with_links").iterdir()), lab.folder / "from_ana", cells)
    ben = stretches(texts, seen["Ben"])
    survey = qualcoder_project(lab.folder / "ben.qda", {record: texts[record] for record in seen["Ben"]}, survey=True)
    code_in_qualcoder(survey, [(f"{record}_Text", code, start + 8, end + 8) for record, code, start, end in ben], "Ben")
    code_in_qualcoder(survey, [(f"{seen['Ben'][0]}_Text", "Speaker", 0, 3)], "📌 Speaker coding")
    windows = {record: texts[record].replace("\n", "\r\n") for record in seen["Cleo"]}
    cleo = stretches(windows, seen["Cleo"])
    foreign_project(lab.folder / "cleo.qdpx", windows, cleo, "Cleo", "Another program")
    said, agreement = (run_lines(lab, part_of_page(part)) for part in ("home", "agreement"))
    yield Page(lab, said, agreement, ana, ben, cleo, seen)


def test_each_coding_comes_back_to_its_place(page: Page, texts: dict[str, str]) -> None:
    rows = page.lab.build.rows("codings", ["coder", "record_id", "code", "quote", "status"])
    assert {row[4] for row in rows} == {"matched"}
    found = {coder: sorted(row[1:4] for row in rows if row[0] == coder) for coder in ("Ana", "Ben", "Cleo")}
    assert found["Ben"] == sorted((record, code, texts[record][start:end]) for record, code, start, end in page.ben)
    windows = {record: texts[record].replace("\n", "\r\n") for record in page.seen["Cleo"]}
    words = [(record, code, windows[record][start:end]) for record, code, start, end in page.cleo]
    expected = sorted((record, code, some.replace("\r\n", "\n")) for record, code, some in words)
    assert found["Cleo"] == expected and any("\r" in text for text in windows.values())
    codes = {"x": [HUMOUR], "YES ": [HUMOUR, RULES], "Rules; Money ;": [RULES, MONEY]}
    typed = {record: str(next(iter(cells.values()))) for record, cells in page.ana.items() if cells}
    ana = sorted((record, code) for record, cell in typed.items() for code in codes[cell])
    assert [row[:2] for row in found["Ana"]] == ana and all(texts[row[0]].startswith(row[2]) for row in found["Ana"])


def test_what_was_seen_without_a_code_is_said(page: Page) -> None:
    first, second, _ = page.said
    without = sum(not cells for cells in page.ana.values())
    assert f"Ana: {len(page.seen['Ana'])} texts seen, {without} of them without a code." in first.err
    seen = len(page.seen["Ben"])
    assert f"Ben: {seen} texts seen, {seen // 2} of them without a code. {len(page.ben)} codings." in second.err
    rows = page.lab.build.rows("seen_texts", ["record_id", "coder", "round"])
    assert {row[0] for row in rows if row[1] == "Ben"} == {*page.seen["Ben"]} and {row[2] for row in rows} == {1}
    assert [row["code"] for row in page.lab.seed("codebook")] == [HUMOUR, RULES, MONEY]


def test_agreement_is_printed_and_exported(page: Page) -> None:
    lab, printed = page.lab, page.agreement[0].out
    assert printed.splitlines()[0].split()[:4] == ["code", "coders", "units", "percent"]
    rows = json.loads(lab.run("agreement", "--json").out)
    assert [row["code"] for row in rows] == ["(all codes)", HUMOUR, MONEY, RULES]
    names = ["code", "coders", "units", "percent", "kappa", "alpha", "alpha_low", "alpha_high", "ac1"]
    assert all(list(row) == names and row["coders"] == 3 and row["kappa"] is None for row in rows)
    shared = set.intersection(*map(set, page.seen.values()))
    assert {row["units"] for row in rows[1:]} == {len(shared)} and rows[0]["units"] == 3 * len(shared)
    assert "Some coders never used these codes: Rules (2)." in printed
    assert lab.run("agreement", "--round", "2").err == "Error: There is no round 2. Valid: 1.\n"
    assert json.loads(lab.run("agreement", "--round", "1", "--json").out) == rows
    header, *cells = sheet(lab.folder / "results" / "agreement.xlsx")
    place = header.index("Krippendorff's alpha")
    assert {row[0]: row[place] for row in cells} == {row["code"]: row["alpha"] for row in rows}
    assert "Alpha low (95% jackknife)" in header and len(sheet(lab.folder / "results" / "codes.xlsx")) > 10
    assert lab.run("verify", "results", "--target", "duckdb").code == 0
    overview = openpyxl.load_workbook(lab.folder / "results" / "index.xlsx")["Overview"]
    titles = [chart.title.tx.rich.p[0].r[0].t for chart in overview._charts]
    assert titles[1] == "Codes per month" and len(titles) == 4


def test_a_workbook_that_lacks_a_dealt_column(page: Page, tmp_path: Path) -> None:
    """Its texts would be taken for texts without the code."""
    file = next((page.lab.folder / "from_ana").glob("*.xlsx"))
    book = openpyxl.load_workbook(file)
    next(cell for cell in book.active[1] if cell.value == "Code: Money").value = "Money"
    book.save(tmp_path / "ana.xlsx")
    (tmp_path / "~$ana.xlsx").write_bytes(b"Excel's own")
    said = refused(page.lab, tmp_path, "--coder", "Ana", "--deal", "coding")  # a folder is all of its workbooks
    assert "ana.xlsx has no column Code: Money, which was dealt" in said
    (tmp_path / "none").mkdir()
    assert "none has no workbooks" in refused(page.lab, tmp_path / "none", "--coder", "Ana")


def test_a_second_round(page: Page) -> None:
    """The rest of docs/coding.md: coders use a new code in texts that nobody has got before."""
    lab = page.lab
    (lab.folder / "codes.csv").write_text("code\nHumour\nRules\nMoney\nWeather\n", encoding="utf-8")
    deal, *rest = part_of_page("round").splitlines()
    run_lines(lab, deal)
    for coder, cells in (("Ana", {"Code: Weather": "x"}), ("Ben", {"Code: Weather": "x", "Code: Rules": "x"})):
        files = sorted((lab.folder / "coding" / coder / "with_links").glob("*-batch2.xlsx"))
        type_into(files, lab.folder / "second" / coder.lower(), [dict(cells), {}])
    *_, printed = run_lines(lab, "\n".join(rest))
    assert "These codes are new since round 1: Weather." in printed.out
    rows = {row["code"]: row for row in json.loads(lab.run("agreement", "--round", "2", "--json").out)}
    assert rows["Weather"]["coders"] == 2 and rows["Weather"]["percent"] == rows["Weather"]["kappa"] == 1
    assert {row["round"] for row in lab.seed()} == {"1", "2"}
    every = {row["code"]: row["units"] for row in json.loads(lab.run("agreement", "--json").out)}
    assert every["Weather"] > rows["Weather"]["units"] > 0


def test_a_file_that_is_read_again_replaces_its_rows(page: Page) -> None:
    before = [row for row in page.lab.seed() if row["coder"] == "Ben"]
    done = page.lab.run("codes", "ben.qda", "ben.qda", "--coder", "Benjamin")  # without a deal: all sources
    assert done.code == 0 and "the codings of Ben count as codings of Benjamin" in done.err, done.err
    assert page.lab.run("codes", "ben.qda", "--deal", "coding").code == 0
    assert sorted(map(str, before)) == sorted(str(row) for row in page.lab.seed() if row["coder"] == "Ben")
    assert {row["coder"] for row in page.lab.seed()} == {"Ana", "Ben", "Benjamin", "Cleo"}


@needs_qualcoder
@pytest.mark.parametrize("kind", ["qdpx", "qualcoder"])
def test_the_round_trip_of_qualcoder(kind: str, built_sample: Build, texts: dict[str, str], tmp_path: Path) -> None:
    """Its own importer makes the project; a script codes in its database."""
    lab = new_lab(built_sample, tmp_path / "p")
    how = ["--sample", "3", "--coders", "Ana,Ben", "--overlap", "50%"]
    assert lab.run("export", *how, "--only", kind, "--out", "coding").code == 0
    folder = tmp_path / "p" / "ben.qda"
    folder.mkdir()
    files = sorted((lab.folder / "coding" / "Ben").rglob("*.*x"))
    imported = run_import(*files, project=folder)
    assert imported.returncode == 0, imported.stderr
    with sqlite3.connect(folder / "data.qda") as database:
        database.execute("delete from code_text")  # the survey import codes each text with the name of its column
        sources = dict(database.execute("select name, fulltext from source").fetchall())
    codings = [(name, "😀 code", 9, 13) for name, text in sources.items() if len(text) > 13]
    code_in_qualcoder(folder, codings, "Ben")
    done = lab.run("codes", folder, "--deal", "coding")
    assert done.code == 0, done.err
    rows = lab.build.rows("codings", ["record_id", "code", "quote", "status"])
    shift = 8 if kind == "qualcoder" else 0
    expected = [(name.removesuffix("_Text"), "😀 code", sources[name][9:13], "matched") for name, *_ in codings]
    assert sorted(rows) == sorted(expected) and len(rows) > 5
    assert all(texts[record][9 - shift : 13 - shift] == quote for record, _, quote, _ in rows)


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
    make_project(tmp_path / "p")
    environment = {"PROBESHEETS_DUCKDB": str(tmp_path / "none.duckdb")}
    result = probesheets(tmp_path / "p", environment, "codes", str(one_coder(tmp_path, texts, "Ana")))
    assert result.code == 1 and "Run: probesheets run" in result.err
