"""The queries of docs/recipes.md, but for the names of files, read files of the form that the programs publish."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import duckdb
import pytest

from probesheets.source.asked import Source
from tests.build import command, make_project, run
from tests.copies import replace_copy
from tests.exporter.command import probesheets
from tests.exporter.test_docs import FENCE
from tests.exports import sheet
from tests.servers import ROOT

PUBLISHED = Path(__file__).parent / "published"
FENCES = FENCE.findall((ROOT / "docs" / "recipes.md").read_text(encoding="utf-8"))
QUERIES = {path.removesuffix(".sql"): content for kind, path, content in FENCES if kind == "sql"}
COMMANDS = {name: line for name in QUERIES for kind, _, line in FENCES if kind == "sh" and f"{name}.sql" in line}
GPT, LLAMA = "gpt-4o-mini-2024-07-18", "meta-llama__Llama-3.1-8B"
# the headers of the further columns; then the Record ID, Probe, Text, Date, Model of each text, and those
TEXTS: dict[str, tuple[list[str], list[tuple[str | None, ...]]]] = {
    "openai_batch": (
        ["custom_id"],
        [
            ("T1", "Who counts the boats?", "The harbour master does.", "2025-08-21", GPT, "harbour-1"),
            ("T2", "Who counts the boats?", "Nobody: they count the harbour.", "2025-08-21", GPT, "harbour-1"),
            ("T3", "And at night?", "At night, the lamp.", "2025-08-21", GPT, "harbour-2"),
            ("T4", "What is in the picture? Be brief.", "A boat.\nIt is red.", "2025-08-22", GPT, "harbour-3"),
        ],
    ),
    "survey": (
        ["person"],
        [
            ("T1", "Q1", "Boats float.", "2020-09-29", None, "#anna"),
            ("T2", "Q2", "So do lamps.", "2020-09-29", None, "#anna"),
            ("T3", "Q1", "Ropes wait,\nthey said.", "in autumn", None, "bo"),
            ("T5", "Q1", "Tides turn.", "1.9.20", None, "#cy"),
        ],
    ),
    "promptfoo": (
        ["test", "vars"],
        [
            ("T1", "Name boats.", "Boats float.", "2026-06-01", "openai:4o", "0", '{"topic":"boats","tone":"dry"}'),
            ("T2", "Name ropes.", "Ropes are knots that wait.", "2026-06-01", "openai:4o", "1", '{"topic":"ropes"}'),
            ("T3", "Name lamps.", '{"lamp":"red","lit":true}', "2026-06-01", "anthropic:s", "2", '{"topic":"lamps"}'),
        ],
    ),
    "lm_eval": (
        ["task", "doc_id"],
        [
            ("T3", "The boat was", "late.", "2026-08-21", LLAMA, "harbour_story", "0"),
            ("T4", "The boat was", "gone, they said.", "2026-08-21", LLAMA, "harbour_story", "0"),
            ("T5", "A lamp", "burned.", "2026-08-21", LLAMA, "harbour_story", "1"),
            ("T6", "A rope", "held.", "2026-08-21", LLAMA, "harbour_story", "1"),
        ],
    ),
}
LEFT_OUT = {  # Record ID, Probe, Reason
    "openai_batch": [
        ("R5", "Tell a secret.", "I'm sorry, I can't help with that."),
        ("R6", "Who counts the boats?", "Invalid value: 'max_tokens'."),
        ("R7", "Too late?", "This request could not be executed before the completion window expired."),
        ("R8", "Too busy?", "status 500"),
        ("R9", "Never answered?", "no response"),
    ],
    "survey": [("R4", "Q2", "no answer"), ("R6", "Q2", "no answer")],
    "promptfoo": [
        ("R4", "Name gulls.", "API call error: Error: Request timed out after 300000 ms"),
        ("R5", "Name tides.", "API error: 429 Too Many Requests"),
        ("R6", "Name crabs.", "no answer"),
    ],
    "lm_eval": [("R1", "Which floats?", "not a generated text"), ("R2", "Which floats?", "not a generated text")],
}


def query(name: str, folder: Path) -> str:
    """The query with the names of the files in a folder."""
    return re.sub(r"'([^']+\.(?:jsonl?|csv))'", lambda found: f"'{(folder / found[1]).as_posix()}'", QUERIES[name])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes") / "p"
    make_project(folder)
    return folder


def rows(file: Path, *headers: str) -> list[tuple[str, ...]]:
    """The cells below these headers, as text."""
    header, *cells = sheet(file)
    values = [[row[header.index(name)] for name in headers] for row in cells]
    return sorted(tuple(str(int(cell) if isinstance(cell, float) else cell) for cell in row) for row in values)


@pytest.mark.parametrize("name", ["openai_batch", "promptfoo", "survey"])
def test_what_a_recipe_reads(tmp_path: Path, name: str) -> None:
    (tmp_path / "q.sql").write_text(query(name, PUBLISHED / name), encoding="utf-8")
    more, texts = TEXTS[name]
    further = "".join(f', "{column}"' for column in more)
    found = f"select concat('T', id), probe, text, left(date, 10), model {further} from query_result "
    missing = "select concat('R', id), probe, coalesce(reason, 'no answer') from query_result "
    replace_copy(tmp_path / "x.duckdb", Source(str(tmp_path / "q.sql"), shape="query"))
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.execute(f"{found} where reason is null and text <> '' order by id").fetchall() == texts
        assert (
            connection.execute(f"{missing} where reason <> '' or text is null order by id").fetchall() == LEFT_OUT[name]
        )


def test_a_recipe_to_its_workbooks(project: Path) -> None:
    """With the command of the document; the texts begin with their probe."""
    name = "lm_eval"
    (project / f"{name}.sql").write_text(query(name, PUBLISHED / name), encoding="utf-8")
    program, *arguments = shlex.split(COMMANDS[name])
    result = run([str(command("duckdb", program)), *arguments, "--out", name], project, {})
    assert result.returncode == 0, result.stdout + result.stderr
    assert probesheets(project, {}, "export", "--out", name, "--only", "all_texts").code == 0
    more, texts = TEXTS[name]
    assert rows(project / name / "all_texts.xlsx", "Record ID", "Probe", "Text", "Date", "Model", *more) == texts
    assert rows(project / name / "left_out.xlsx", "Record ID", "Probe", "Reason") == LEFT_OUT[name]
    assert not any(content for (content,) in rows(project / name / "left_out.xlsx", "Content"))


LEAST: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "openai_batch": (
        {
            "requests.jsonl": {"custom_id": "a", "body": {"messages": []}},
            "batch_1.jsonl": {"custom_id": "b", "response": {"body": {"choices": [{"message": {"content": "x"}}]}}},
        },
        [(1, None, None, None, None, "no response"), (2, None, "x", None, None, None)],
    ),
    "promptfoo": (
        {"results.json": {"results": {"results": [{"response": {"output": "x"}}, {}]}}},
        [(1, None, "x", None, None, None), (2, None, None, None, None, None)],
    ),
    "lm_eval": (
        {"results/m/samples_t.jsonl": {"resps": [["x"]]}, "results/m/samples_u.jsonl": {"doc_id": 7}},
        [(1, None, "x", None, "m", None), (2, None, None, None, "m", None)],
    ),
}


@pytest.mark.parametrize("name", LEAST)
def test_keys_that_no_line_has(tmp_path: Path, name: str) -> None:
    """Nor is a line dropped: one request of the batch has no answer, and one answer has no request."""
    files, expected = LEAST[name]
    for place, content in files.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(json.dumps(content) + "\n", encoding="utf-8")
    (tmp_path / "q.sql").write_text(query(name, tmp_path), encoding="utf-8")
    replace_copy(tmp_path / "x.duckdb", Source(str(tmp_path / "q.sql"), shape="query"))
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        columns = "select id, probe, text, date, model, reason from query_result order by id"
        assert connection.execute(columns).fetchall() == expected
