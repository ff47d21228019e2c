"""A small source, and the comparison of what `check` says about it with what `run` does."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.exporter.command import Result

COLUMNS = ["id", "experiment_id", "root_id", "depth", "tag", "probe", "content", "mood", "output_id", "column_1"]
ROWS = [
    (1, 1, 0, 0, "raw", "Say", "Say it all", "m1", "o1", "c1"),
    (2, 1, 1, 1, "trimmed", "Say", "Say one \\ www.example.com/a ''", "m2", "o2", "c2"),
    (3, 1, 1, 1, "date", "Say", "2020-03-05", "m3", "o3", "c3"),
    (4, 1, 1, 1, "text_key", "Say", "a key's \\ value", "m4", "o4", "c4"),
    (5, 1, 1, 2, "trimmed", "Say", "Say two", "m\\5", "o5", "c5"),
    (6, 1, 1, 2, "a'%s\\", "Say", "odd", "m6", "o6", "c6"),
]
# names that the SQL of the models has for its own, and names that SQL, dbt or Jinja might take for something else
ODD_BUT_GOOD = {
    "extra_tags": ["text_key", "a'%s\\", "tag_1", "extra_1", "is_blank", "é", "e", "{{ 1 }}", 7],
    "extra_columns": ["output_id", "column_1", "mood", "content", "depth"],
}


def write_source(file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *ROWS])


def as_yaml(variables: Mapping[str, Any]) -> str:
    """On one line, all but ASCII escaped: YAML accepts neither control characters nor JSON's escapes of emoji."""
    return str(yaml.safe_dump(dict(variables), default_flow_style=True, width=10**9)).strip()


def both(
    ask: Callable[..., Result], says: Sequence[str], variables: Mapping[str, Any], *arguments: str
) -> tuple[Result, Result]:
    """`check` and then `run`: the same end, no traceback, and what they must say."""
    options = [*arguments, "--vars", as_yaml(variables)]
    checked, ran = ask("check", *options), ask("run", *options)
    said = checked.out + checked.err + ran.out + ran.err
    assert (checked.code, ran.code) == ((1, 1) if says else (0, 0)), said
    assert "Traceback" not in said and "Compilation Error in model" not in ran.err
    for part in says:
        assert part in checked.out + checked.err and part in ran.err, said
    return checked, ran


def at(place: str) -> dict[str, str]:
    return {"PROBESHEETS_DUCKDB": place}
