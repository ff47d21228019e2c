"""The tables at the top of the macro files are true on every engine.

| x        | clean(x) |      the last header cell is a call; the others name the columns that it takes
| a{tab}b  | a b      |      a row: the values of these columns, and the result

`null` is null, {space}, {tab}, {LF}, {CR}, {NBSP} and {U+2019} are characters, {3 x a} is aaa. In macros/links, { and }
are the marks around a link, and {host} is the mark of that name. Rows of a relation are joined with `; `. A call may
end in `on servers`, or compare two calls. A table whose first header cell is `step` shows one text after each step.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import spark
from tests.build import Build, Source, command, make_project, own_part, run
from tests.conftest import ENGINES, SERVERS, Builder
from tests.servers import ROOT

MACROS = ROOT / "macros"
CHARACTERS = {"space": " ", "tab": "\t", "LF": "\n", "CR": "\r", "NBSP": "\xa0"}
SERVERS_ONLY = " on servers"

# One query for each row of each table, all in one call of dbt. Results are hex digits, because dbt would guess types.
OPERATION = r"""
{% macro result_of(call, inputs, is_exact) %}
  {% set columns = [] %}
  {% for name, value in inputs.items() %}
    {% set literal = 'null' if value is none else text_literal(value) %}
    {% set text = literal if is_exact or value is none else exact_text(literal) %}
    {% do columns.append((text if name != 'day' else 'cast(' ~ literal ~ ' as date)') ~ ' as ' ~ adapter.quote(name)) %}
  {% endfor %}
  {% set inputs = 'inputs as (select ' ~ columns | join(', ') ~ ' ' ~ computed_once() ~ ')' %}
  {% set answers = call if call.strip().startswith('select') else 'select ' ~ call ~ ' as answer from inputs' %}
  {% set answer = "concat_ws(', ', id, link_number, url)" if 'link_number' in answers else 'answer' %}
  {% set hexed = "case when " ~ answer ~ " is null then 'null' else concat('x', hex(" ~ exact_text(answer) ~ ")) end" %}
  {% set query = 'with ' ~ inputs ~ ', answers as (' ~ answers ~ ') select ' ~ hexed ~ ' as hexed from answers' %}
  {{ return(run_query(query).rows | map(attribute=0) | list) }}
{% endmacro %}

{% macro evaluate_tables() %}
  {% set results = [] %}
  CALLS
  {% do print('RESULTS ' ~ tojson({'marks': link_marks(), 'results': results})) %}
{% endmacro %}
"""


@dataclass(frozen=True)
class Row:
    """A row of a table: `call` with `inputs` gives `result`, all as written in `file`."""

    file: Path
    call: str
    inputs: dict[str, str]
    result: str

    def __str__(self) -> str:
        return f"{self.file.stem}: {' | '.join(self.inputs.values())}"[:100]

    @property
    def is_for_jinja(self) -> bool:
        """Whether the call gives a text for a message, and not SQL."""
        return self.file.parent.name == "project"

    def runs_on(self, engine: str) -> bool:
        return engine in SERVERS or not self.call.endswith(SERVERS_ONLY)


def rows_of(file: Path) -> Iterator[Row]:
    header: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" | ")]
        if not line.strip().startswith("|"):
            header = []
        elif not header:
            header = cells
        elif header[0] == "step":
            yield Row(
                file, f"(marking_steps(x) | selectattr(0, 'eq', '{cells[0]}') | first)[1]", {"x": header[1]}, cells[1]
            )
        else:
            yield Row(file, header[-1], dict(zip(header[:-1], cells[:-1], strict=True)), cells[-1])


def decoded(text: str, marks: dict[str, str]) -> str | None:
    """The text that a cell stands for; `marks` are empty outside the link rules."""
    if text == "null":
        return None

    def character(found: re.Match[str]) -> str:
        name = found[1]
        if times := re.fullmatch(r"(\d+) x (.)", name):
            return times[2] * int(times[1])
        return chr(int(name[2:], 16)) if name.startswith("U+") else (CHARACTERS | marks)[name]

    names = "|".join([*CHARACTERS, *marks])
    text = re.sub(rf"\{{(U\+[0-9A-F]+|\d+ x .|{names})\}}", character, text)
    return text.replace("{", marks["begin"]).replace("}", marks["end"]) if marks else text


ROWS = [row for file in sorted(MACROS.rglob("*.sql")) for row in rows_of(file)]


@pytest.fixture(scope="module")
def marks(built: Builder, rules: Source, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """{name: character} of the marks, as the macros have them."""
    answer = evaluated(built("duckdb", rules), "", tmp_path_factory.mktemp("marks"))
    return dict(answer["marks"])


@pytest.fixture(scope="module")
def results_of(
    built: Builder, rules: Source, marks: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, list[str]]]:
    """results_of(engine): what one engine gives for each row, asked once."""

    @cache
    def get(engine: str) -> dict[str, list[str]]:
        chosen = [row for row in ROWS if row.runs_on(engine)]
        calls = "\n".join(jinja(row, marks if row.file.parent.name == "links" else {}) for row in chosen)
        build, folder = built(engine, rules), tmp_path_factory.mktemp(engine)
        # the metastore of a build is for one process at a time
        build = replace(build, environment=spark.environment(folder)) if engine == "spark" else build
        answer = evaluated(build, calls, folder)
        return dict(zip(map(repr, chosen), answer["results"], strict=True))

    return get


def jinja(row: Row, marks: dict[str, str]) -> str:
    inputs = {name: decoded(value, marks) for name, value in row.inputs.items()}
    literals = ", ".join(f"'{name}': {literal(value)}" for name, value in inputs.items())
    call = row.call.removesuffix(SERVERS_ONLY)
    if row.is_for_jinja:
        return f"{{% set given = {{{literals}}} %}}{{% do results.append([{call.replace('(', '(given.')}]) %}}"
    # the columns of the table, and nothing else, are given to the macro as the names of columns
    call = re.sub(rf"(?<=[(\[ ])({'|'.join(['inputs', *inputs])})(?=[,)\]])", r"'\1'", call)
    call = " ~ ' = ' ~ ".join(call.split(" = "))
    is_exact = str("exact_text" in call).lower()
    return f"{{% do results.append(result_of({call}, {{{literals}}}, {is_exact})) %}}"


def literal(text: str | None) -> str:
    """As Jinja writes it; a non-ASCII character is an escape, for the sake of the terminal."""
    return "none" if text is None else json.dumps(text).replace("{", "\\u007b").replace("}", "\\u007d")


def evaluated(build: Build, calls: str, folder: Path) -> dict[str, Any]:
    make_project(folder / "project")
    operation = own_part(folder / "project", "macros") / "evaluate_tables.sql"
    operation.write_text(OPERATION.replace("CALLS", calls), encoding="utf-8")
    arguments = ["--quiet", "--no-use-colors", "run-operation", "evaluate_tables", "--target", build.target]
    result = run([str(command(build.target, "dbt")), *arguments], folder / "project", build.environment)
    printed = [line for line in result.stdout.splitlines() if line.startswith("RESULTS ")]
    assert result.returncode == 0 and printed, result.stdout + result.stderr
    return dict(json.loads(printed[0].removeprefix("RESULTS ")))


@pytest.mark.parametrize(
    ("engine", "row"), [(engine, row) for engine in ENGINES for row in ROWS if row.runs_on(engine)], ids=str
)
def test_a_row_is_true(
    engine: str, row: Row, results_of: Callable[[str], dict[str, list[str]]], marks: dict[str, str]
) -> None:
    results = results_of(engine)
    expected = decoded(row.result, marks if row.file.parent.name == "links" else {})
    given: list[str | None] = [*results[repr(row)]]
    if not row.is_for_jinja:
        given = [bytes.fromhex(one[1:]).decode() if one and one != "null" else None for one in given]
    if expected in ("true", "false"):
        given = [{"1": "true", "0": "false"}.get(one or "", one) for one in given]
    assert (None if given == [None] else "; ".join(map(str, given))) == expected


def test_every_public_rule_has_a_table() -> None:
    """A public rule is a macro of text, links or dates that has its file's name and takes a text."""
    files = [file for room in ("text", "links", "dates") for file in (MACROS / room).glob("*.sql")]
    public = {file for file in files if re.search(rf"macro {file.stem}\(\w", file.read_text(encoding="utf-8"))}
    assert len(public) > 10 and not public - {row.file for row in ROWS}
