"""`export --coders`: who gets which texts, and what the folders of coders have."""

from fractions import Fraction
from itertools import combinations
from pathlib import Path

import openpyxl
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.export.codebook import read_codebook
from probesheets.export.dealing import Deal
from tests.build import Build
from tests.exporter.command import probesheets
from tests.exporter.test_sample import drawn, expected
from tests.exports import HEADERS, contents, export, read_manifest, records, sheet

THREE = ["--coders", "Ana,Ben,Cleo", "--overlap", "25%"]


def shares(out: Path, pattern: str = "with_links/*.xlsx") -> dict[str, set[str]]:
    return {folder.name: drawn(folder, pattern) for folder in out.iterdir() if folder.is_dir()}


def test_a_quarter_goes_to_all_and_the_rest_is_dealt(built_sample: Build, tmp_path: Path) -> None:
    done = export(built_sample, tmp_path, "--sample", "8", *THREE)
    assert done.code == 0, done.err
    got = shares(tmp_path)
    every = expected(built_sample, 8, "0")
    shared = set.intersection(*got.values())
    assert set.union(*got.values()) == every and len(shared) == -(-len(every) // 4)
    for one, other in combinations(got.values(), 2):
        assert one & other == shared and abs(len(one) - len(other)) <= 1
    assert got == shares(tmp_path, "without_links/*.xlsx")
    assert f"Ana gets {len(got['Ana'])}. Ben gets" in done.err and "dealt to Ana, Ben, Cleo (25% to all)" in done.err
    links = {row[3] for coder in ("Ana", "Cleo") for row in sheet(tmp_path / coder / "links.xlsx")[1:]}
    assert links <= got["Ana"] | got["Cleo"]
    files = {path.name for path in tmp_path.iterdir() if path.is_file() and not path.name.startswith(".")}
    assert files == {"delivered.csv", "index.xlsx", "manifest.json"}
    assert read_manifest(tmp_path)["batches"][0]["sample"]["coders"] == ["Ana", "Ben", "Cleo"]


def test_everybody_gets_as_much_of_each_probe() -> None:
    deal = Deal(("A", "B", "C"), Fraction(1, 4), blind=False, codes=())
    got = {coder: share.to_pylist() for coder, share in deal.divide(range(120)).items()}  # 12 of each of ten probes
    for share in got.values():
        for probe in range(10):
            assert sum(12 * probe <= text < 12 * probe + 12 for text in share) == 6
    whole = Deal(("A", "B"), Fraction(1), blind=False, codes=()).divide([3, 1, 2])
    assert all(share.to_pylist() == [3, 1, 2] for share in whole.values())
    nothing = Deal(("A", "B"), Fraction(0), blind=False, codes=()).divide([3, 1, 2])
    assert [share.to_pylist() for share in nothing.values()] == [[3, 2], [1]]


def test_codes_are_columns_beside_the_text_with_a_list(built_sample: Build, tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    codes.write_text("\ufeffcode;description\nHumour;A joke.\n Don't know ;\n", encoding="utf-8")
    assert export(built_sample, tmp_path / "out", "--sample", "9", *THREE, "--codebook", str(codes)).code == 0
    file = next((tmp_path / "out" / "Ana" / "with_links").glob("masks*.xlsx"))
    assert sheet(file)[0] == [*HEADERS[:2], "Code: Humour", "Code: Don't know", *HEADERS[2:]]
    book = openpyxl.load_workbook(file).active
    assert {str(one.sqref): one.formula1 for one in book.data_validations.dataValidation} == {
        f"C2:C{book.max_row}": '"x"',
        f"D2:D{book.max_row}": '"x"',
    }
    assert all(row[2] == row[3] == "" for row in sheet(file)[1:])
    assert "Code: Humour" not in sheet(next((tmp_path / "out").glob("*/links.xlsx")))[0]
    arguments = ["verify", str(tmp_path / "out"), "--target", "duckdb"]
    assert probesheets(built_sample.folder, built_sample.environment, *arguments).code == 0
    sheet_of_a_coder = openpyxl.load_workbook(file)
    sheet_of_a_coder.active["C2"] = "x"
    sheet_of_a_coder.save(file)
    result = probesheets(built_sample.folder, built_sample.environment, *arguments)
    assert result.code == 1 and result.out.count("\n") == 1 and "was changed after the export" in result.out
    before = contents(tmp_path / "out")
    again = export(built_sample, tmp_path / "out", "--sample", "9", *THREE, "--codebook", str(codes))
    assert again.code == 1 and "changed after it was exported" in again.err and contents(tmp_path / "out") == before


def test_blind_sheets_do_not_show_model_and_date(built_sample: Build, tmp_path: Path) -> None:
    arguments = ["--sample", "2", *THREE, "--blind", "--only", "with_links", "--only", "qdpx"]
    assert export(built_sample, tmp_path, *arguments).code == 0
    hidden = {"Model", "Date", "Month", "Experiment", "Date as stored", "Date match"}
    for file in tmp_path.glob("*/with_links/*.xlsx"):
        header, *rows = sheet(file)
        assert header == [name for name in HEADERS if name not in hidden]
        ids = [int(row[0][1:].partition("-")[0]) for row in rows]
        assert ids == sorted(ids)
    assert "gpt2" not in str(contents(tmp_path)["Ana/texts.qdpx"])


def test_a_second_deal_has_other_texts_for_other_coders(built_sample: Build, tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    codes.write_text("code\nHumour\n", encoding="utf-8")
    arguments = [*THREE, "--codebook", str(codes), "--only", "with_links"]
    export(built_sample, tmp_path / "out", "--sample", "4", *arguments)
    first = set.union(*shares(tmp_path / "out").values())
    codes.write_text("code\nHumour\nMoney\n", encoding="utf-8")  # a later round may have more codes
    more = ["--sample", "3", "--new", "--coders", "Ben,Dora", "--overlap", "0%", *arguments[4:]]
    done = export(built_sample, tmp_path / "out", *more)
    assert done.code == 0, done.err
    second = {coder: records(tmp_path / "out", f"{coder}/with_links/*-batch2.xlsx") for coder in ("Ben", "Dora")}
    assert not first & {*second["Ben"]} and not first & {*second["Dora"]} and not {*second["Ben"]} & {*second["Dora"]}
    assert {*second["Ben"], *second["Dora"]} == expected(built_sample, 3, "0", delivered=frozenset(first))
    arguments = ["verify", str(tmp_path / "out"), "--target", "duckdb"]
    result = probesheets(built_sample.folder, built_sample.environment, *arguments)
    assert result.code == 0, result.out
    (tmp_path / "out" / "delivered.csv").unlink()  # the workbooks have the records, too
    done = export(built_sample, tmp_path / "out", *more)
    assert done.code == 0 and "read from the workbooks" in done.err
    third = {*records(tmp_path / "out", "*/with_links/*-batch3.xlsx")}
    assert third and not third & (first | {*second["Ben"], *second["Dora"]})


def test_a_deal_is_not_mixed_with_other_exports(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path / "dealt", "--sample", "2", *THREE, "--only", "with_links")
    export(built_sample, tmp_path / "plain", "--sample", "2", "--only", "with_links")
    for folder, arguments, part in (
        ("dealt", ["--new"], "was dealt to coders. Add --coders"),
        ("dealt", ["--new", "--sample", "2"], "was dealt to coders. Add --coders"),
        ("plain", ["--new", "--sample", "2", *THREE], "was not dealt to coders. Remove --coders"),
        ("dealt", ["--new", "--sample", "2", *THREE, "--blind"], "was dealt without --blind. Remove --blind"),
        ("dealt", ["--only", "with_links"], "--coders Ana,Ben,Cleo --overlap 25%"),
    ):
        before = contents(tmp_path / folder)
        result = export(built_sample, tmp_path / folder, *arguments)
        assert result.code == 1 and part in result.err, result.err
        assert contents(tmp_path / folder) == before


def test_a_deal_removes_the_folders_of_the_deal_before(built_sample: Build, tmp_path: Path) -> None:
    export(built_sample, tmp_path, "--sample", "2", *THREE)
    (tmp_path / "Ana" / "notes.txt").write_text("mine", encoding="utf-8")
    assert export(built_sample, tmp_path, "--sample", "2", "--coders", "Dora").code == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"Ana", "Dora"}
    assert [path.name for path in (tmp_path / "Ana").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--sample", "2", "--coders", "A,B"], "Add --overlap"),
        (["--coders", "A,B", "--overlap", "50%"], "--coders needs a sample, as in: --sample 200 --coders A,B"),
        (["--sample", "2", "--overlap", "50%"], "need --coders"),
        (["--sample", "2", "--blind"], "need --coders"),
        (["--sample", "2", "--coders", "A,a", "--overlap", "1%"], "names a twice"),
        (["--sample", "2", "--coders", "A,../B", "--overlap", "1%"], "cannot have the name '../B'"),
        (["--sample", "2", "--coders", "A,", "--overlap", "1%"], "cannot have the name ''"),
        (["--sample", "2", "--coders", "A,Null", "--overlap", "1%"], "cannot have the name 'Null'"),
        (["--sample", "2", "--coders", "A,B", "--overlap", "120%"], "from 0% to 100%"),
        (["--sample", "2", "--coders", "A,B", "--overlap", "half"], "from 0% to 100%"),
        (["--sample", "2", "--coders", "A,B", "--overlap", "0.5"], "from 0% to 100%"),
        (["--sample", "2", "--coders", "A", "--only", "left_out"], "left_out has no column text_id"),
    ],
)
def test_wrong_arguments(built_sample: Build, tmp_path: Path, arguments: list[str], part: str) -> None:
    result = export(built_sample, tmp_path / "x", *arguments)
    assert result.code == 1 and part in result.err, result.err
    assert not (tmp_path / "x").exists()


def test_a_codebook_without_coders_or_a_project(built_sample: Build, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("code\nHumour\n", encoding="utf-8")
    result = export(built_sample, tmp_path / "x", "--codebook", str(tmp_path / "codes.csv"))
    assert result.code == 1 and "--codebook needs dealt sheets of texts (--coders)" in result.err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("name\nHumour\n", "its columns are name"),
        ("", "it has no rows"),
        ("code\nHumour\nhumour\n", "header 'Code: humour' of column code 2 is used twice"),
        ("code\nC+\nC-\n", "header 'Code: C-' of column code 2 is used twice"),
        ("code\na;b\n", "cannot have the name 'a;b'"),
        ("code,description\n,x\n", "cannot have the name ''"),
        ("code\nnull\n", "cannot have the name 'null'"),
        ("code,description\nMoney,A price, or a payment\n", "the row of 'Money' has more cells than the header"),
        ('code\n"Humour\n', "unexpected end of data"),
    ],
)
def test_a_wrong_codebook(content: str, part: str, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ProbesheetsError, match=part):
        read_codebook(tmp_path / "codes.csv")
    with pytest.raises(ProbesheetsError, match=r"cannot be used: .*No such file"):
        read_codebook(tmp_path / "none.csv")
