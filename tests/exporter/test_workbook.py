"""Real files, read back by two libraries that did not write them, and every part by a strict XML parser."""

import hashlib
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from python_calamine import load_workbook

from probesheets.workbooks import container
from probesheets.workbooks.container import Written
from probesheets.workbooks.layout import Column, Layout
from probesheets.workbooks.write import write_workbooks

CREATED = datetime(2024, 2, 29, 12, 30, 15, 999, tzinfo=UTC)
LAYOUT = Layout("Texts", (Column("id", "Record ID", 14), Column("text", "Text", 80, wrap=True)), "text")


def table(texts: list[str | None], stems: list[str] | None = None) -> pa.Table:
    ids = [f"T{number}" for number in range(1, len(texts) + 1)]
    columns = {"id": pa.array(ids), "text": pa.array(texts, pa.string())}
    return pa.table(columns | ({"stem": pa.array(stems)} if stems else {}))


def write(rows: pa.Table, to: Path, layout: Layout = LAYOUT, cut: int = 1000, **more: Any) -> list[Written]:
    """Write rows to workbooks, from batches of `cut` rows."""
    to.mkdir(exist_ok=True)
    group = "stem" if "stem" in rows.column_names else None
    batches = rows.combine_chunks().to_batches(max_chunksize=cut)
    return list(write_workbooks(batches, layout, to, group_by=group, default_name="all", created=CREATED, **more))


def read(path: Path) -> list[list[Any]]:
    """The rows below the header, for which openpyxl and calamine must agree."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for part in archive.namelist():
            ElementTree.fromstring(archive.read(part))
    [sheet] = openpyxl.load_workbook(path).worksheets
    ours = [[value.date() if isinstance(value, datetime) else value for value in row] for row in sheet.values]
    theirs = load_workbook(path).get_sheet_by_index(0).to_python()
    assert [[("" if value is None else value) for value in row] for row in ours] == theirs
    return ours[1:]


def test_a_workbook_has_one_frozen_sheet_with_a_bold_header_and_readable_columns(tmp_path: Path) -> None:
    [made] = write(table(["a", "b"]), tmp_path)
    book = openpyxl.load_workbook(made.path)
    sheet = book.active
    assert sheet is not None
    assert (book.sheetnames, sheet.sheet_state, sheet.freeze_panes) == (["Texts"], "visible", "C2")
    assert sheet.sheet_view.pane.state == "frozen"
    assert [cell.value for cell in sheet[1]] == ["Record ID", "Text"]
    assert [cell.font.b for cell in (sheet["A1"], sheet["A2"])] == [True, False]
    assert [cell.alignment.wrap_text for cell in (sheet["A2"], sheet["B2"])] == [None, True]
    assert [cell.alignment.vertical for cell in (sheet["A2"], sheet["B2"])] == ["top", "top"]
    assert book._named_styles["Normal"].alignment.vertical == "top"  # LibreOffice takes that for cells without style
    assert [sheet.column_dimensions[letter].width for letter in "AB"] == [14, 80]
    assert book.properties.created == datetime(2024, 2, 29, 12, 30, 15)
    assert made == Written(tmp_path / "all.xlsx", None, 1, 2, 2, 0, 0, 0, made.sha256)
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("cut", [1, 2, 3, 100])
def test_each_group_is_a_workbook_however_the_batches_are_cut(tmp_path: Path, cut: int) -> None:
    made = write(table([*"abcdef"], ["one", *["two"] * 3, *["three"] * 2]), tmp_path, cut=cut)
    assert [book.path.name for book in made] == ["one.xlsx", "two.xlsx", "three.xlsx"]
    assert [(book.group, book.rows) for book in made] == [("one", 1), ("two", 3), ("three", 2)]
    assert [[text for _, text in read(book.path)] for book in made] == [["a"], ["b", "c", "d"], ["e", "f"]]


@pytest.mark.parametrize("group", [None, "id"])
def test_no_rows_no_file(tmp_path: Path, group: str | None) -> None:
    for batches in ([], table([]).to_batches(), [table(["a"]).to_batches()[0].slice(1)]):
        assert not [*write_workbooks(batches, LAYOUT, tmp_path, group_by=group, default_name="x", created=CREATED)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 4, 100])
def test_rows_that_a_sheet_does_not_hold_go_on_in_numbered_parts(tmp_path: Path, cut: int) -> None:
    made = write(table([*"abcdefgx"], ["s"] * 7 + ["t"]), tmp_path, cut=cut, max_rows=4)
    assert [book.path.stem for book in made] == ["s", "s-part2", "s-part3", "t"]
    assert [book.part for book in made] == [1, 2, 3, 1]
    texts = ["".join(text for _, text in read(book.path)) for book in made]
    assert texts == ["abc", "def", "g", "x"]
    assert [book.records for book in made] == [3, 3, 1, 1]


@pytest.mark.parametrize("cut", [1, 100])
def test_a_long_text_goes_on_below_and_stays_in_one_part(tmp_path: Path, cut: int) -> None:
    long = "word and more\n" * 4000
    made = write(table(["a", "b", long, "c"]), tmp_path, cut=cut, max_rows=4)
    assert [[key for key, _ in read(book.path)] for book in made] == [["T1", "T2"], ["T3", "T3-2", "T4"]]
    assert [(book.rows, book.records, book.shortened) for book in made] == [(2, 2, 0), (3, 2, 0)]
    pieces = [text for _, text in read(made[1].path)[:2]]
    assert "".join(pieces) == long
    assert pieces[0][-1].isspace()


LONG = [
    "x" * 32_768,
    "😀" * 16_384,
    "x" + "😀" * 50_000,
    "👩\u200d👩\u200d👧" * 9000,
    " " * 70_000,
    "é" * 90_000,
]


@pytest.mark.parametrize("text", LONG)
def test_pieces_of_a_long_text_fit_and_join_to_the_text(tmp_path: Path, text: str) -> None:
    rows = read(write(table([text, "next"]), tmp_path)[0].path)
    pieces = [piece for _, piece in rows[:-1]]
    assert "".join(pieces) == text
    assert all(len(piece.encode("utf-16-le")) // 2 <= 32_767 for piece in pieces)
    assert not any(piece[0] == "\u200d" or piece[-1] == "\u200d" for piece in pieces)
    assert [key for key, _ in rows] == ["T1", *(f"T1-{n}" for n in range(2, len(pieces) + 1)), "T2"]


def test_text_that_just_fits_is_not_touched(tmp_path: Path) -> None:
    texts = ["é" * 32_767, "😀" * 16_383 + "x"]
    assert [text for _, text in read(write(table([*texts]), tmp_path)[0].path)] == texts


def test_other_long_cells_are_shortened_and_counted(tmp_path: Path) -> None:
    layout = Layout("S", (Column("id", "Record ID"), Column("note", "Note"), Column("text", "Text")), "text")
    rows = table(["short", "y" * 40_000]).append_column("note", pa.array(["😀" * 20_000, "x" * 32_768]))
    [made] = write(rows, tmp_path, layout)
    assert [row[1] for row in read(made.path)] == [
        "😀" * 16_383 + "…",
        "x" * 32_766 + "…",
        "x" * 32_766 + "…",
    ]
    assert (made.rows, made.records, made.shortened) == (3, 2, 3)


TYPES: dict[str, tuple[pa.Array, list[Any]]] = {
    "integers": (pa.array([0, -7, None, 10**15 - 1]), [0, -7, None, 10**15 - 1]),
    "long integers": (pa.array([2**63 - 1, None, 10**15, 5]), [str(2**63 - 1), None, str(10**15), 5]),
    "unsigned": (pa.array([2**64 - 1, 1, 2, 3], pa.uint64()), [str(2**64 - 1), 1, 2, 3]),
    "nothing": (pa.nulls(4), [None] * 4),
    "empty": (pa.array(["", "a", None, ""]), [None, "a", None, None]),
    "booleans": (pa.array([True, False, None, True]), ["TRUE", "FALSE", None, "TRUE"]),
    "dictionary": (pa.array(["a", None, "a", "b"]).dictionary_encode(), ["a", None, "a", "b"]),
    "dates": (
        pa.array([date(2020, 2, 29), None, date(1900, 2, 28), date(1900, 3, 1)]),
        [date(2020, 2, 29), None, "1900-02-28", date(1900, 3, 1)],
    ),
}


@pytest.mark.parametrize("kind", TYPES)
def test_cells_of_each_type(tmp_path: Path, kind: str) -> None:
    array, expected = TYPES[kind]
    layout = Layout("S", (Column("id", "Record ID"), Column("other", "Other"), Column("text", "Text")))
    path = write(table([*"abcd"]).append_column("other", array), tmp_path, layout)[0].path
    assert [row[1] for row in read(path)] == expected
    sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    assert sheet.count(b"<c ") == 3 + 8 + sum(value is not None for value in expected)  # a null is no cell


def test_dates_are_cells_shown_as_iso_or_iso_text(tmp_path: Path) -> None:
    rows = table(["a", "b"]).append_column("day", pa.array([date(1850, 12, 31), date(2020, 1, 2)]))
    for dates, expected in (("cell", [str, date]), ("text", [str, str])):
        layout = Layout("S", (Column("id", "Record ID"), Column("day", "Day")), dates=dates)
        days = [row[1] for row in read(write(rows, tmp_path / dates, layout)[0].path)]
        assert [(type(day), str(day)) for day in days] == [*zip(expected, ["1850-12-31", "2020-01-02"], strict=True)]
        sheet = openpyxl.load_workbook(tmp_path / dates / "all.xlsx")["S"]
        assert sheet["B3"].number_format == ("yyyy\\-mm\\-dd" if dates == "cell" else "General")


CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
AWKWARD = ["_x0041_", "_x000a_x0042_", "x005F", "]]>", "&amp;", "👩\u200d👧", "עברית", "\x7f", "\x85"]
PIECES = st.sampled_from([*AWKWARD, *" \t\n=+-@'<>&;_"]) | st.text(CHARACTERS, min_size=1)
TEXTS = st.lists(PIECES, min_size=1).map("".join).filter(lambda text: "x005F_" not in text)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1, max_size=12), st.integers(1, 12))
@example(["=1+1", "+1", "-1", "@a", "'a", "\ta", "_x0041_", " a ", "\n", "_x0041_x0042_", "a_x005f_"], 3)
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, texts: list[str], cut: int) -> None:
    [made] = write(table([*texts]), tmp_path_factory.mktemp("any"), cut=cut)
    assert [text for _, text in read(made.path)] == texts
    frame = pd.read_excel(made.path, engine="openpyxl", dtype=str, keep_default_na=False)
    assert frame["Text"].tolist() == texts
    assert made.escaped == 0


@pytest.mark.parametrize(
    ("texts", "memory", "escaped"),
    [(["_x005F_", "_x005F_x0041_", "fox005F_", "plain"], 1000, 2), ([f"_x004{n}_" for n in range(5)], 20, 3)],
)
def test_text_that_openpyxl_changes_is_counted_and_right_in_calamine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str | None], memory: int, escaped: int
) -> None:
    monkeypatch.setattr(container, "SHARED_UNITS", memory)
    made = write(table(texts), tmp_path)[0]
    _, *rows = load_workbook(made.path).get_sheet_by_index(0).to_python()
    assert ([row[1] for row in rows], made.escaped) == (texts, escaped)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\r", "\x1f", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_an_error_and_leaves_no_file(tmp_path: Path, character: str) -> None:
    rows = table(["fine", "ﷺ fine", f"not {character}"], ["a", "b", "b"])
    with pytest.raises(ValueError, match=rf"column text, record T3: a workbook cannot contain U\+{ord(character):04X}"):
        write(rows, tmp_path, cut=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_failing_source_leaves_only_complete_workbooks(tmp_path: Path) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from table([*"abc"], ["a", "b", "b"]).to_batches()
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        list(write_workbooks(batches(), LAYOUT, tmp_path, group_by="stem", default_name="x", created=CREATED))
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("stem", ["../up", "a/b", "a\\b", "..", "a\n", "a.", "c:d"])
def test_a_group_makes_no_file_elsewhere(tmp_path: Path, stem: str) -> None:
    with pytest.raises(ValueError, match="cannot name a file"):
        write(table(["a"], [stem]), tmp_path / "in")
    assert [path.name for path in tmp_path.rglob("*")] == ["in"]


def test_a_group_that_comes_back_overwrites_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        write(table([*"abc"], ["a", "b", "a"]), tmp_path)
    assert [row[1] for row in read(tmp_path / "a.xlsx")] == ["a"]


@pytest.mark.parametrize("header", ["", "a\nb", "x" * 64, "!a", "#a", "ID", "Text!", "--", "_x0041_", " a"])
def test_headers_that_a_reader_would_refuse(tmp_path: Path, header: str) -> None:
    with pytest.raises(ValueError, match="column id"):
        write(table(["a"]), tmp_path, Layout("S", (Column("text", "Text"), Column("id", header))))


@pytest.mark.parametrize("sheet", ["", "x" * 32, "a:b", "a/b", "'a", "a'", "History", "a[", "a\n"])
def test_sheet_names_that_excel_refuses(tmp_path: Path, sheet: str) -> None:
    with pytest.raises(ValueError, match="sheet name"):
        write(table(["a"]), tmp_path, Layout(sheet, LAYOUT.columns))


def test_errors_name_a_column_that_is_missing_or_of_another_type(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column text; the columns are id"):
        write(table(["a"]).drop_columns("text"), tmp_path)
    with pytest.raises(ValueError, match="column text is of type float"):
        write(table(["a"]).set_column(1, "text", pa.array([0.5], pa.float32())), tmp_path)


def test_the_same_rows_give_the_same_bytes_however_they_are_cut(tmp_path: Path) -> None:
    texts = [f"text {n} " * (n % 90) + "_x0041_" * (n % 3) + str(n) for n in range(6000)]
    texts[17] = "long " * 10_000
    rows = table([*texts], ["a"] * 5000 + [f"b{n // 3}" for n in range(1000)])
    rows = rows.set_column(0, "id", pa.array([f"T{n}_x00{n % 90 + 10}_" for n in range(6000)]))
    hashes = [[book.sha256 for book in write(rows, tmp_path / str(cut), cut=cut)] for cut in (7, 999, 10_000)]
    assert hashes[0] == hashes[1] == hashes[2]
    assert len(set(hashes[0])) == 335


def test_memory_does_not_grow_with_the_rows_of_a_workbook(tmp_path: Path) -> None:
    batch = table([f"{n * n * n:x} text " * 9 for n in range(2000)]).to_batches()[0]

    def held(batches: int) -> int:
        """The most bytes that the writer holds between two batches, in Python and in Arrow."""
        seen = []

        def source() -> Iterator[pa.RecordBatch]:
            for _ in range(batches):
                seen.append(pa.total_allocated_bytes() + tracemalloc.get_traced_memory()[0])
                yield batch

        made = write_workbooks(source(), LAYOUT, tmp_path, group_by=None, default_name=f"{batches}", created=CREATED)
        assert [book.rows for book in made] == [2000 * batches]
        return int(max(seen) - seen[0])

    tracemalloc.start()
    try:
        assert held(60) < 1.5 * held(10)
    finally:
        tracemalloc.stop()


def test_a_sheet_over_4_gib_is_zip64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "ZIP32", 1_000_000)
    [made] = write(table(["same text"] * 20_000), tmp_path)
    with zipfile.ZipFile(made.path) as archive:
        [sheet] = [entry for entry in archive.infolist() if "sheet1" in entry.filename]
    assert sheet.file_size > 1_000_000 > made.path.stat().st_size
    assert sheet.extra
    assert len(read(made.path)) == 20_000
