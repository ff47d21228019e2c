"""The folder that an export leaves, read back by libraries that did not write it."""

import hashlib
import shlex
import zipfile
from collections import Counter
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tests.build import Build
from tests.exporter.command import probesheets
from tests.exports import HEADERS, LINK_HEADERS, contents, export, read_manifest, records, sheet, write_manifest


@pytest.fixture(scope="module")
def out(built_sample: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "sheets"
    assert export(built_sample, folder).code == 0
    return folder


def test_two_workbooks_for_each_probe_with_the_same_names(out: Path) -> None:
    names = {kind: sorted(path.name for path in (out / kind).iterdir()) for kind in ("with_links", "without_links")}
    assert len(names["with_links"]) == 9
    assert names["with_links"] == names["without_links"]


def test_every_text_is_there_once(out: Path, built_sample: Build) -> None:
    expected = Counter(row[0] for row in built_sample.rows("texts", ["record_id"]))
    for kind in ("with_links", "without_links"):
        records = Counter(row[0] for file in (out / kind).iterdir() for row in sheet(file)[1:])
        continued = {record for record in records if "-" in record}
        assert len(continued) == 1  # the one text of the sample that is longer than a cell
        assert Counter({key: count for key, count in records.items() if key not in continued}) == expected


def test_headers_and_order(out: Path) -> None:
    for file in (out / "with_links").iterdir():
        rows = sheet(file)
        assert rows[0] == HEADERS
        keys = [(str(row[HEADERS.index("Date")]) or "9999", int(row[0][1:].split("-")[0])) for row in rows[1:]]
        assert keys == sorted(keys)
    assert sheet(out / "links.xlsx")[0] == LINK_HEADERS


def test_three_libraries_read_the_same(out: Path) -> None:
    file = next((out / "with_links").glob("the-city-council*.xlsx"))
    first = sheet(file)
    second = [["" if cell is None else cell for cell in row] for row in openpyxl.load_workbook(file).active.values]
    third = pd.read_excel(file, keep_default_na=False, engine="openpyxl")
    texts = [row[HEADERS.index("Text")] for row in first]
    assert texts == [row[HEADERS.index("Text")] for row in second] == ["Text", *third["Text"]]
    assert first[0] == list(second[0]) == list(third.columns)


def test_links_are_in_one_kind_and_listed(out: Path) -> None:
    text = HEADERS.index("Text")
    listed = Counter(row[LINK_HEADERS.index("Text")] for row in sheet(out / "links.xlsx")[1:])
    for file in (out / "with_links").iterdir():
        plain = {row[0]: row for row in sheet(out / "without_links" / file.name)[1:]}
        for row in sheet(file)[1:]:
            if "-" not in row[0]:
                assert row[HEADERS.index("Links")] == listed[row[0]]
            assert "http" not in plain[row[0]][text] or "http" not in row[text].split("://")[0]
            assert "://" not in plain[row[0]][text]


def test_what_was_left_out_is_listed(out: Path) -> None:
    rows = sheet(out / "left_out.xlsx")
    reasons = Counter(row[rows[0].index("Reason")].split()[0] for row in rows[1:])
    assert reasons == {"The": 3, "No": 5}  # the text is empty, no text was cut


def test_manifest_tells_of_every_file(out: Path) -> None:
    told = read_manifest(out)
    hashes = {file["path"]: file["sha256"] for file in told["files"]}
    assert hashes == {name: hashlib.sha256(data).hexdigest() for name, data in contents(out).items() if name in hashes}
    assert set(contents(out)) == {*hashes, "manifest.json"}
    assert told["totals"]["text_rows"] == 311 and told["totals"]["texts"] == 308
    assert told["totals"]["left_out"] == {"blank text": 3, "no text row": 5}
    assert told["totals"]["rows_of_unused_tags"] == {"Date": 1, "Trimmed": 1, "full": 20}
    assert told["selected"] == {
        "with_links": 308,
        "without_links": 308,
        "links": told["totals"]["links"],
        "left_out": 8,
    }
    nothing = ("na", "n/a", "#n/a", "nan", "null", "none", "nil")
    cells = [cell for name in told["files"] if name.get("columns") for row in sheet(out / name["path"]) for cell in row]
    assert told["totals"]["cells_like_nothing"] == sum(str(cell).lower() in nothing for cell in cells) > 3
    assert told["totals"]["cells_escaped"] == sum("x005F_" in str(cell) for cell in cells)
    assert told["target"] == "duckdb" and told["created"].startswith("2023-11-14T22:13:20")


def test_index_has_working_links(out: Path) -> None:
    book = openpyxl.load_workbook(out / "index.xlsx")["Probes"]
    assert [cell.value for cell in book[1]] == [
        "Short name", "Probe", "Texts", "Links", "First date", "Last date", "With links", "Without links",
    ]  # fmt: skip
    for row in book.iter_rows(min_row=2):
        for cell in row[6:]:
            assert (out / cell.hyperlink.target).is_file()
    assert sum(row[2].value for row in book.iter_rows(min_row=2)) == 308


def test_no_formulas_no_hyperlinks_one_sheet(out: Path) -> None:
    for file in [*out.glob("with*/*.xlsx"), out / "links.xlsx", out / "left_out.xlsx"]:
        book = openpyxl.load_workbook(file)
        assert len(book.sheetnames) == 1
        assert all(cell.data_type != "f" and cell.hyperlink is None for row in book.active for cell in row)


def test_a_full_export_replaces_what_is_ours_and_nothing_else(built_sample: Build, tmp_path: Path) -> None:
    folder = tmp_path / "sheets"
    export(built_sample, folder)
    before = contents(folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (folder / "with_links" / "coded.xlsx").write_text("mine, too", encoding="utf-8")
    data, told = b"a probe that is no more", read_manifest(folder)
    like = next(file for file in told["files"] if file["kind"] == "with_links")
    gone = {**like, "path": "with_links/gone.xlsx", "sha256": hashlib.sha256(data).hexdigest()}
    (folder / gone["path"]).write_bytes(data)
    write_manifest(folder, {**told, "files": [*told["files"], gone]})
    assert export(built_sample, folder).code == 0
    after = contents(folder)
    assert after.pop("notes.txt") == b"mine" and after.pop("with_links/coded.xlsx") == b"mine, too"
    del before["index.xlsx"], after["index.xlsx"]  # openpyxl stamps the time into it
    del before["manifest.json"], after["manifest.json"]
    assert after == before


def test_somebody_elses_file_is_not_replaced(built_sample: Build, tmp_path: Path) -> None:
    (tmp_path / "links.xlsx").write_text("mine", encoding="utf-8")
    result = export(built_sample, tmp_path)
    assert result.code == 1 and "links.xlsx" in result.err and "--out" in result.err
    assert contents(tmp_path) == {"links.xlsx": b"mine"}


def test_one_probe_and_one_kind(built_sample: Build, tmp_path: Path) -> None:
    assert export(built_sample, tmp_path, "--probe", "masks are", "--only", "with_links").code == 0
    (name,) = set(contents(tmp_path)) - {"index.xlsx", "manifest.json", "delivered.csv"}
    assert name.startswith("with_links/masks-are-")
    before = contents(tmp_path)
    assert export(built_sample, tmp_path, "--only", "qualcoder").code == 0
    assert set(before) < set(contents(tmp_path))  # nothing is removed
    rows = sheet(next((tmp_path / "qualcoder").glob("the-city*.xlsx")))
    date = rows[1][HEADERS.index("Date")]
    assert isinstance(date, str) and len(date) == len("2020-03-05")


def test_same_models_same_bytes(built_sample: Build, out: Path, tmp_path: Path) -> None:
    export(built_sample, tmp_path / "again")
    first, second = contents(out), contents(tmp_path / "again")
    del first["index.xlsx"], second["index.xlsx"], first["manifest.json"], second["manifest.json"]
    assert first == second


def test_index_differs_in_the_time_only(built_sample: Build, out: Path, tmp_path: Path) -> None:
    export(built_sample, tmp_path / "again")
    with zipfile.ZipFile(out / "index.xlsx") as one, zipfile.ZipFile(tmp_path / "again" / "index.xlsx") as two:
        differing = [name for name in one.namelist() if one.read(name) != two.read(name)]
    assert set(differing) <= {"docProps/core.xml"}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--probe", "Masks ar"], ["Masks are", "probesheets probes"]),
        (["--only", "with_link"], ["with_links", "without_links"]),
        (["--target", "duckdbb"], ["duckdb", "mariadb", "mysql"]),
        (["--probe", "Masks are", "--only", "links"], ["links is not split by probe"]),
        (["--target", "mariadb"], ["dbt-mysql", "make .venv-mysql"]),
    ],
)
def test_names_that_are_wrong(built_sample: Build, tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    result = export(built_sample, tmp_path / "x", *arguments)
    assert result.code == 1
    assert all(part in result.err for part in parts), result.err
    assert not (tmp_path / "x").exists()


def test_an_output_folder_that_cannot_be_written(built_sample: Build, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    result = export(built_sample, tmp_path / "file" / "sheets")
    assert result.code == 1 and "file is a file. Give a folder with --out, such as out." in result.err


def test_outside_a_checkout(tmp_path: Path) -> None:
    result = probesheets(tmp_path, {}, "export")
    assert result.code == 1 and "not inside a probesheets project" in result.err


def test_probes_lists_them(built_sample: Build) -> None:
    result = probesheets(built_sample.folder, built_sample.environment, "probes")
    lines = result.out.splitlines()
    assert len(lines) == 10
    assert lines[0].split() == ["texts", "links", "first", "date", "last", "date", "workbook", "probe"]
    [masks] = [line for line in lines if line.endswith(" Masks are")]
    assert masks.split()[0] == "78" and "masks-are-96ca1b6f084fafd4 " in masks


def test_a_partial_export_says_what_it_wrote(built_sample: Build, tmp_path: Path) -> None:
    result = export(built_sample, tmp_path, "--probe", "Masks are", "--only", "with_links")
    assert result.err.splitlines()[0] == f"Wrote 3 files in {tmp_path}. Records: 78 in with_links."
    assert read_manifest(tmp_path)["selected"] == {"with_links": 78}


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("Masks are", 1), ("Masks *", 1), ("*asks are", 2), ("*", 9), ("The fol*move:", 2), ("[Mm]asks are", 0)],
)
def test_only_a_star_is_special_in_a_probe(built_sample: Build, tmp_path: Path, pattern: str, count: int) -> None:
    done = export(built_sample, tmp_path, "--probe", pattern, "--only", "with_links")
    assert len(list(tmp_path.glob("with_links/*.xlsx"))) == count, done.err
    assert (done.code == 0) == bool(count) and ("There is no probe '[Mm]asks are'" in done.err) == (not count)


def test_many_probes_are_told_of_the_single_workbook(built_sample: Build, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert "all_texts" not in export(built_sample, tmp_path).err
        patch.setattr("probesheets.export.export.MANY", 7)
        assert "There are 9 probes. For one workbook with all of them, run: probesheets export --target duckdb " in (
            export(built_sample, tmp_path).err
        )
        said = export(built_sample, tmp_path / "few", "--sample", "2", "--seed", "a b").err
        command = shlex.split(said.partition("run: probesheets ")[2].splitlines()[0])
        assert export(built_sample, tmp_path / "few", *command[1:]).code == 0 and command[0] == "export"
        every = records(tmp_path / "few", "with_links/*.xlsx")
        assert len(sheet(tmp_path / "few" / "all_texts.xlsx")) == 1 + len(every)


def test_a_full_export_keeps_the_kinds_that_were_asked_for(built_sample: Build, tmp_path: Path) -> None:
    for arguments in ([], ["--only", "all_texts"], ["--only", "pages"]):
        assert export(built_sample, tmp_path, *arguments).code == 0
    before = set(contents(tmp_path))
    done = export(built_sample, tmp_path)
    assert done.code == 0 and "Removed" not in done.err
    assert set(contents(tmp_path)) == before >= {"all_texts.xlsx", "pages/index.html"}


def test_several_kinds_in_one_option(built_sample: Build, tmp_path: Path) -> None:
    done = export(built_sample, tmp_path, "--only", "links,pages")
    assert done.code == 1 and done.err.endswith("Repeat --only for each kind.\n")
