"""`probesheets codes` and `agreement`: docs/coding.md as it is written, and QualCoder's own importers."""

import json
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from probesheets.refi_qda.read import read_sources
from tests.build import Build
from tests.coding.coders import Coding, code_in_qualcoder, foreign_project, qualcoder_project, type_codes
from tests.coding.lab import HUMOUR, MONEY, RULES, Lab, new_lab, refused
from tests.exporter.command import Result
from tests.exporter.test_docs import FENCE
from tests.exporter.test_qualcoder import needs_qualcoder, run_import
from tests.exports import sheet
from tests.servers import ROOT


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
    said, agreement = (run_lines(lab, part_of_page(part)) for part in ("codes", "agreement"))
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
    expected = [(name.removesuffix("_Text"), "😀 code", sources[name][9:13], "matched") for name, *_ in codings]
    assert sorted(rows) == sorted(expected) and len(rows) > 5
    records = {name.removesuffix("_Text"): text for name, text in sources.items()}
    openings = {record: len(text) - len(texts[record]) for record, text in records.items()}
    assert {*openings.values()} <= {0, len("[Text]:\n")}  # versions of its survey import differ
    assert all(texts[record][9 - openings[record] : 13 - openings[record]] == quote for record, _, quote, _ in rows)
