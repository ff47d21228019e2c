"""Files with one answer per row: every kind of file gives the same copy, and nothing is guessed in silence."""

import csv
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.source.asked import Source
from probesheets.source.copy import Copied, copy_source
from probesheets.source.keep import INCOMING
from probesheets.source.shapes import columns_asked, read_shapes
from tests.copies import replace_copy

NAMES = ["id", "prompt", "response", "created", "score"]
ANSWERS = [dict(zip(NAMES, row, strict=True)) for row in (
    ["a", "Masks are", 'Masks are "good",\nsee example.org', "2020-03-05", "1.10"],
    ["b", "Masks are", None, "2020-03-06T23:30:00-05:00", "2"],
    ["c", "Ünïcode 🙂", "[not a list]", None, None],
)]  # fmt: skip
KEPT = [
    (1, "Masks are", 'Masks are "good",\nsee example.org', "2020-03-05", None, "a", "1.10"),
    (2, "Masks are", None, "2020-03-06T23:30:00-05:00", None, "b", "2"),
    (3, "Ünïcode 🙂", "[not a list]", None, None, "c", None),
]
Write = Callable[[Path, list[dict[str, Any]]], None]


def write_csv(file: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, [*rows[0]], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_tsv(file: Path, rows: list[dict[str, Any]]) -> None:
    write_csv(file, rows, "\t")


def write_lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


def write_packed(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))


def write_list(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def write_parquet(file: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), file)


def write_workbook(file: Path, rows: list[dict[str, Any]]) -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in [[*rows[0]] if rows else ["text"], *([*row.values()] for row in rows)]:
        book.active.append(row)
    book.save(file)


WRITERS: dict[str, Write] = {
    "a.csv": write_csv, "a.tsv": write_tsv, "a.jsonl": write_lines, "a.ndjson.gz": write_packed, "a.json": write_list,
    "a.parquet": write_parquet, "a.xlsx": write_workbook,
}  # fmt: skip


def copied(tmp_path: Path, place: str | Path, **options: Any) -> tuple[Copied, list[tuple[Any, ...]], list[str]]:
    """What was said, and the rows and columns of the incoming table."""
    database = tmp_path / "copy.duckdb"
    columns = columns_asked(options.pop("columns", None))
    result = copy_source(database, Source(str(place), columns=columns, **options))
    with duckdb.connect(str(database)) as connection:
        cursor = connection.execute(f"from {INCOMING}{read_shapes()[result.shape].first} order by id")
        rows = cursor.fetchall()
        return result, rows, [column[0] for column in cursor.description or ()]


def refused(tmp_path: Path, place: str | Path, **options: Any) -> str:
    with pytest.raises(ProbesheetsError) as error:
        copied(tmp_path, place, **options)
    return str(error.value)


def of(*names: str) -> list[dict[str, Any]]:
    return [dict.fromkeys(names, "some text"), dict.fromkeys(names, "other text")]


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_copy(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, ANSWERS)
    result, rows, names = copied(tmp_path, tmp_path / name)
    assert result.shape == "answers"
    assert names == ["id", "probe", "text", "date", "model", "Source ID", "score"]
    assert [tuple(cell or None for cell in row) for row in rows] == KEPT
    assert result.said[1:] == (
        "The source has the shape answers, by its columns: "
        "id → Source ID, prompt → probe, response → text, created → date.",
        "Other columns, which the variable extra_columns can show: score.",
    )


def test_types_of_parquet_and_excel_read_as_their_digits(tmp_path: Path) -> None:
    rows = [{"id": 7, "text": "a", "date": "2020-03-05 23:59:59", "score": 0.5}]
    write_workbook(tmp_path / "a.xlsx", [{**rows[0], "n": 3.0}])
    assert copied(tmp_path, tmp_path / "a.xlsx")[1] == [(7, None, "a", "2020-03-05 23:59:59", None, "0.5", "3")]
    table = duckdb.sql("select 7 as id, 'a' as text, timestamptz '2020-03-05 22:00:00-05' as date, [1.5] as embedding")
    table.write_parquet(str(tmp_path / "a.parquet"))
    _, kept, names = copied(tmp_path, tmp_path / "a.parquet")
    assert kept == [(7, None, "a", "2020-03-06 03:00:00+00", None)] and "embedding" not in names


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        (["5", "3", "0"], [0, 3, 5]),
        (["5.0", "3.0", "4.0"], [3, 4, 5]),
        (["5", "5", "3"], [1, 2, 3]),
        (["5", None, "3"], [1, 2, 3]),
        (["-5", "2", "3"], [1, 2, 3]),
    ],
)
def test_whole_number_ids_are_kept_if_they_are_unique(tmp_path: Path, ids: list[Any], kept: list[int]) -> None:
    write_lines(tmp_path / "a.jsonl", [{"id": number, "text": "x"} for number in ids])
    _, rows, names = copied(tmp_path, tmp_path / "a.jsonl")
    assert [row[0] for row in rows] == kept
    assert ("Source ID" in names) == (kept == [1, 2, 3])


def test_files_of_a_pattern_are_numbered_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, text in (("b", "third"), ("a", "first")):
        write_lines(tmp_path / f"{name}.jsonl", [{"text": text}, {"text": f"after {text}", "seed": 1}])
    result, rows, _ = copied(tmp_path, tmp_path / "*.jsonl")
    assert [(row[0], row[2]) for row in rows] == [(1, "first"), (2, "after first"), (3, "third"), (4, "after third")]
    assert any("in the order of the files' names" in line for line in result.advice)
    assert "No file matches" in refused(tmp_path, tmp_path / "*.csv")
    write_csv(tmp_path / "c.csv", of("text"))
    assert "several kinds: .csv, .jsonl" in refused(tmp_path, tmp_path / "[abc].*")
    (tmp_path / "c.csv").rename(tmp_path / "a.csv")
    write_csv(tmp_path / "b.csv", of("text", "more"))
    assert "b.csv has other columns than" in refused(tmp_path, tmp_path / "*.csv")


def test_columns_are_named_by_an_option(tmp_path: Path) -> None:
    rows = [{"Q1, first": "p", "A1": "t", "text": "note", "when": 1583452800, "by": "gpt"}]
    write_lines(tmp_path / "a.jsonl", rows)
    asked = "probe=Q1, first,text=A1,date=when:seconds,model=by"
    _, kept, names = copied(tmp_path, tmp_path / "a.jsonl", columns=asked)
    assert kept == [(1, "p", "t", "2020-03-06 00:00:00", "gpt", "note")]
    assert names[-1] == "text 2"
    assert "has no column 'A2'. Valid: " in refused(tmp_path, tmp_path / "a.jsonl", columns="text=A2")
    assert "--columns 'answer=A1' is not valid" in refused(tmp_path, tmp_path / "a.jsonl", columns="answer=A1")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["prompt", "output", "text"], "has 2 columns that could be the text: output, text.\nChoose one: --columns"),
        (["text", "date", "created"], "has 2 columns that could be the date: date, created."),
        (["prompt", "question", "text"], "has 2 columns that could be the probe: prompt, question."),
        (["a", "b"], "has no column that could be a text. Its columns are: a, b.\nSay which column it is, as in:"),
        (["messages", "text"], "can be read in more than one way. Its columns are: messages, text.\nAdd --shape"),
        (["id", "experiment_id", "tag", "probe", "content"], "has no column root_id, which table_output needs."),
    ],
)  # fmt: skip
def test_two_readings_are_never_guessed(tmp_path: Path, names: list[str], said: str) -> None:
    write_lines(tmp_path / "a.jsonl", of(*names))
    assert said in refused(tmp_path, tmp_path / "a.jsonl")


def test_input_is_the_probe_only_without_a_better_one(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [{"instruction": "do", "input": "it", "output": "done"}])
    assert copied(tmp_path, tmp_path / "a.jsonl")[1] == [(1, "do", "done", None, None, "it")]
    write_lines(tmp_path / "a.jsonl", [{"input": "it", "output": "done"}])
    assert copied(tmp_path, tmp_path / "a.jsonl")[1] == [(1, "it", "done", None, None)]


def test_a_shape_can_be_chosen(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": "q"}], "text": "t"}]
    write_lines(tmp_path / "a.jsonl", rows)
    assert copied(tmp_path, tmp_path / "a.jsonl", shape="answers")[1] == [(1, None, "t", None, None)]
    result, kept, _ = copied(tmp_path, tmp_path / "a.jsonl", shape="messages")
    assert result.shape == "messages" and json.loads(kept[0][1]) == rows[0]["messages"]
    assert "There is no shape 'answer'. Valid: answers" in refused(tmp_path, tmp_path / "a.jsonl", shape="answer")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a"}\n' * 3000 + '{"text": "b}\n' + '{"text": "c"}\n', "line 3001: this is not a JSON object: Unt"),
        ('{"text": "a"}\n\n[1, 2]\n', "line 3: this is not a JSON object, as in"),
        ('{"text": "a", "text": "b"}\n', "line 1: this is not a JSON object: it has the key 'text' twice."),
        ('{"text": "a"}\n{"text": "a", "Text": "b"}\n', "has the column Text, text more than once."),
        ('[{"text": "a"},\n {"text": "b"\n]', "cannot be read as JSON: Invalid Input Error: Malformed JSON"),
        ('{"text": "a"}\n{"text": "half \\ud83d"}\n', "line 2: this is not a JSON object: "),
        ('{"text": "a", "": 1}\n', "has a column without a name."),
        ('{"text": {"de": "a"}}\n{"text": "b"}\n', "the column text contains lists or objects, not texts."),
        ('{"text": "a"}\n{"text": ["b"]}\n', "the column text contains lists or objects, not texts."),
        ('{"messages": []}\n{"messages": "no list"}\n', "row 2: messages is not a list of messages in JSON: no list"),
        ('{"prompt": "a", "response": "b"}\n{"prompt": "c", "answer": "d"}\n', "could be the text: response, answer."),
        ("[]", "it has no objects"),
        ('{"text": "a"}\n{"text": "b"}\u00a0\n', "line 2: this is not a JSON object: Extra data (column 14)."),
        ('"just a text"', "this is not a JSON object, as in"),
    ],
)  # fmt: skip
def test_broken_json_is_refused_by_its_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(content, encoding="utf-8")
    message = refused(tmp_path, file)
    assert said in message and str(file) in message


def test_json_in_another_encoding_is_refused_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a"}\n{"text": "caf\xe9"}\n')
    assert "line 2: the text is not UTF-8 (byte 0xE9)" in refused(tmp_path, tmp_path / "a.jsonl")


def test_keys_that_only_late_objects_have_are_columns(tmp_path: Path) -> None:
    rows = [{"text": "a"}] * 30_000 + [{"text": "b", "late": "kept"}]
    write_lines(tmp_path / "a.jsonl", rows)
    _, kept, names = copied(tmp_path, tmp_path / "a.jsonl")
    assert names[-1] == "late" and kept[-1][-1] == "kept" and len(kept) == 30_001
    assert [row[0] for row in kept] == [*range(1, 30_002)] and kept[-1][2] == "b"


@pytest.mark.parametrize("first_is_packed", [True, False])
def test_json_files_may_be_packed_or_not(tmp_path: Path, first_is_packed: bool) -> None:
    names = ("a.jsonl.gz", "b.jsonl") if first_is_packed else ("a.jsonl", "b.jsonl.gz")
    for name in names:
        (write_packed if name.endswith(".gz") else write_lines)(tmp_path / name, [{"text": name}])
    assert [row[2] for row in copied(tmp_path, str(tmp_path / "*.json*"))[1]] == [*names]


@pytest.mark.parametrize("size", [17_000_000, 40_000_000])
def test_an_object_can_be_larger_than_duckdb_expects(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBESHEETS_MEMORY", "4GB")
    file = tmp_path / "a.jsonl"
    write_lines(file, [{"text": "one"}, {"text": "x" * size}])
    assert [len(row[2]) for row in copied(tmp_path, file)[1]] == [3, size]


def test_a_workbook_with_two_sheets_or_merged_headers_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first
    first.title = "Answers"
    first.append(["prompt", "response", None])
    first.append(["a", "b", "c"])
    first.merge_cells("B1:C1")
    book.save(tmp_path / "merged.xlsx")
    said = "column 3 has no name in the first row (are cells merged there?)"
    assert said in refused(tmp_path, tmp_path / "merged.xlsx")
    book.create_sheet("More").append(["x"])
    book.save(tmp_path / "two.xlsx")
    assert "must have one sheet with rows, but has 2: Answers, More." in refused(tmp_path, tmp_path / "two.xlsx")
    (tmp_path / "no.xlsx").write_text("prompt,response\n", encoding="utf-8")
    assert "cannot be read as an Excel workbook" in refused(tmp_path, tmp_path / "no.xlsx")


def test_a_workbook_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", [])
    assert "has no rows" in refused(tmp_path, tmp_path / "a.xlsx")


def test_a_workbook_is_said_to_be_read_as_a_whole(tmp_path: Path) -> None:
    for name, said in (("a.xlsx", 1), ("a.csv", 0)):
        WRITERS[name](tmp_path / name, of("text"))
        advice = copied(tmp_path, tmp_path / name)[0].advice
        assert sum("is read whole, so it must fit into memory" in line for line in advice) == said


def test_an_empty_row_of_a_workbook_is_not_a_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in (["id", "text"], [7, "a"], [None, "  "], [9, "b"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert [row[:3] for row in copied(tmp_path, tmp_path / "a.xlsx")[1]] == [(7, None, "a"), (9, None, "b")]
    book = openpyxl.Workbook()
    assert book.active
    book.active.append([" ", "  "])
    book.save(tmp_path / "a.xlsx")
    assert "must have one sheet with rows, but has 0: none." in refused(tmp_path, tmp_path / "a.xlsx")


def test_a_date_for_all_rows(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", of("text"))
    assert {row[3] for row in copied(tmp_path, tmp_path / "a.jsonl", date="2020-09-29")[1]} == {"2020-09-29"}
    write_lines(tmp_path / "a.jsonl", of("text", "created"))
    assert "has the column created with dates. Remove --date." in refused(
        tmp_path, tmp_path / "a.jsonl", date="2020-09-29"
    )


def test_a_query_needs_an_id_and_a_text(tmp_path: Path) -> None:
    query = tmp_path / "q.sql"
    query.write_text(
        "select range as id, 'a' || range as answer, {'k': range} as more from range(2);", encoding="utf-8"
    )
    _, rows, names = copied_query(tmp_path, query)
    assert [row[:3] for row in rows] == [(0, None, "a0"), (1, None, "a1")] and "more" not in names
    for sql, said in (
        ("select 'a' as text", "has no column id, which query needs."),
        ("select 'x' as id, 'a' as text", "id 'x' is not a whole number."),
        ("select 1 as id, text from nowhere", "DuckDB cannot run the query: "),
        ("drop table x", "The file must contain one select statement."),
        ("\n\nselect 1 as id,\n  oops as text", "LINE 4:"),
        (" ;\n", "is empty. It must contain one select statement."),
    ):
        query.write_text(sql, encoding="utf-8")
        with pytest.raises(ProbesheetsError) as error:
            copied_query(tmp_path, query)
        assert said in str(error.value) and str(query) in str(error.value)


def copied_query(tmp_path: Path, query: Path) -> tuple[Copied, list[tuple[Any, ...]], list[str]]:
    return copied(tmp_path, query, shape="query")


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv"])
def test_a_name_with_brackets_is_no_pattern(tmp_path: Path, ending: str) -> None:
    for name, text in (("a1", "wrong"), ("a[1]", "right")):
        WRITERS[f"a.{ending}"](tmp_path / f"{name}.{ending}", [{"text": text}])
    assert copied(tmp_path, tmp_path / f"a[1].{ending}")[1][0][2] == "right"


def test_ids_that_only_look_like_numbers_stay_as_they_are(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [{"id": "007", "text": "x"}])
    assert copied(tmp_path, tmp_path / "a.jsonl")[1] == [(1, None, "x", None, None, "007")]
    write_lines(tmp_path / "a.jsonl", [{"Source ID": "77", "text": "x", "Row Number": 5}])
    assert copied(tmp_path, tmp_path / "a.jsonl")[1] == [(1, None, "x", None, None, "77", "5")]


def test_an_append_says_which_rows_it_takes_for_those_of_the_copy(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", of("text"))
    replace_copy(tmp_path / "copy.duckdb", str(tmp_path / "a.jsonl"))
    write_lines(tmp_path / "b.jsonl", [*of("text"), {"text": "new"}])
    result, rows, _ = copied(tmp_path, tmp_path / "b.jsonl", append=True)
    assert len(rows) == 3 and result.advice[0].startswith("Already in the copy, with the same number")
    result, rows, _ = copied(tmp_path, tmp_path / "b.jsonl", append=True, offset=10)
    assert [row[0] for row in rows] == [1, 2, 11, 12, 13] and not result.advice


def test_an_append_with_other_record_ids_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "copy.duckdb"
    write_lines(tmp_path / "a.jsonl", [{"id": 10, "text": "a"}, {"id": 11, "text": "b"}])
    replace_copy(database, str(tmp_path / "a.jsonl"))
    write_lines(tmp_path / "a.jsonl", [{"id": 10, "text": "a"}, {"id": 11, "text": "b"}, {"id": 11, "text": "c"}])
    assert "those of " in refused(tmp_path, tmp_path / "a.jsonl", append=True)
    write_lines(tmp_path / "a.jsonl", [{"id": 11, "text": "b"}, {"id": 12, "text": "c"}])
    result, rows, _ = copied(tmp_path, tmp_path / "a.jsonl", append=True)
    assert [row[0] for row in rows] == [10, 11, 12] and result.said[0].endswith(", 1 of them new")
    rows = copied(tmp_path, tmp_path / "a.jsonl", append=True, offset=100)[1]
    assert [row[0] for row in rows] == [10, 11, 111, 112]


def test_a_table_of_the_user_is_not_replaced(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as connection:
        connection.execute("create table answers as select 1 as mine")
    write_lines(tmp_path / "a.jsonl", of("text"))
    assert "has a table answers that is not a copy of a source." in refused(tmp_path, tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"place": "a.csv", "shape": "query"}, "--query FILE reads a query"),
        ({"place": "a.csv", "query": Path("q.sql")}, "each name a source"),
        ({"place": "mysql://u@h/s", "columns": "text=a"}, "are for files"),
        ({"place": "a.csv", "date": "2020-13-01"}, "is not a date"),
        ({"place": "a.csv", "date": "1.2.2020"}, "is not a date"),
        ({"place": "a.csv", "columns": "text=a,text=b"}, "--columns names text twice: a, b."),
        ({"place": None, "columns": "text=a"}, "--columns needs --source"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ProbesheetsError, match=re.escape(said)):
        Source.asked("duckdb", **options)


def test_the_delimiter_is_the_one_that_fits_the_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id;text;"What, if anything, helps?"\n5;yes;a, b\n6;no;c\n', encoding="utf-8")
    _, rows, names = copied(tmp_path, tmp_path / "a.csv")
    assert names[-1] == "What, if anything, helps?" and [row[-1] for row in rows] == ["a, b", "c"]
