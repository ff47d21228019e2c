"""The cases in tests/cases/*.jsonl as rows of one source, so that every engine is built once for all of them.

A file is a rule, a line a case. Its keys: `case`, then either the input of one text (`content`, `probe`) and what must
come out, or `rows` (ids and roots count within the case) with `texts` and `left_out`, what must come out by row.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.build import Source

FOLDER = Path(__file__).resolve().parents[1] / "cases"
RULES = ("clean", "split", "dates", "date_match", "links", "file_stem", "duplicates", "left_out")
_IDS_PER_CASE = 1000


@dataclass(frozen=True)
class Case:
    """Rows of table_output, and what the models must make of them, by the ids of the rows."""

    rule: str
    name: str
    rows: list[dict[str, Any]]
    texts: dict[int, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


@cache
def cases() -> list[Case]:
    """All cases of all rules, in their order."""
    return [_placed(case, number) for number, case in enumerate(_read_all(), 1)]


def rules_source() -> Source:
    """All cases as one source; there is no table_experiment, as in some databases."""
    return Source("rules", [row for case in cases() for row in case.rows])


def _read_all() -> Iterator[Case]:
    for rule in RULES:
        lines = (FOLDER / f"{rule}.jsonl").read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _case(rule, number, json.loads(line))


def _case(rule: str, number: int, line: Mapping[str, Any]) -> Case:
    name = str(line.get("case", f"{number}, {line.get('rule', 'case')}"))
    if "rows" in line:
        texts, left_out = (
            {int(key): value for key, value in line.get(part, {}).items()} for part in ("texts", "left_out")
        )
        return Case(rule, name, [dict(row) for row in line["rows"]], texts, left_out)
    row = {"id": 1, "depth": 1, "probe": line.get("probe", "")}
    if rule == "dates":
        rows = [row | {"content": "a text"}, {"id": 2, "tag": "date", "depth": 1, "content": line["content"]}]
        return Case(rule, name, rows, {1: {"date": line["date"], "month": line["month"]}})
    if rule == "links":
        # texts of this file are as clean() leaves them
        content = line["text"].replace("&", "&amp;")
        if not content:
            return Case(rule, name, [row | {"content": content}], left_out={1: "blank text"})
        expected = {"text": line["text"], "urls": line["urls"]}
        expected |= {name: line[name] for name in ("without", "hosts") if name in line}
        return Case(rule, name, [row | {"content": content}], {1: expected})
    if rule == "file_stem":
        return Case(
            rule, name, [row | {"content": "a text"}], {1: {"probe": line["shown"], "file_stem": line["file_stem"]}}
        )
    rows = [row | {"content": line["content"]}]
    if line["text"] is None:
        return Case(rule, name, rows, left_out={1: "blank text"})
    expected = {name: line[name] for name in ("text", "starts_with_probe") if name in line}
    return Case(rule, name, rows, {1: expected})


def _placed(case: Case, number: int) -> Case:
    """The case with ids of its own, an experiment of its own, and rows without root under a root of their own."""
    first = number * _IDS_PER_CASE

    def place(local: int | None) -> int | None:
        return first + local if local else local

    rows = []
    for given in case.rows:
        row: dict[str, Any] = {
            "experiment": number,
            "root": _IDS_PER_CASE - 1,
            "tag": "trimmed",
            "depth": 1,
            "probe": "",
        } | given
        placed = {"id": place(row.pop("id")), "experiment_id": row.pop("experiment"), "root_id": place(row.pop("root"))}
        rows.append(placed | row)
    texts = {first + local: dict(columns) for local, columns in case.texts.items()}
    for columns in texts.values():
        if columns.get("duplicate_of"):
            columns["duplicate_of"] = f"T{place(columns['duplicate_of'])}"
    return Case(case.rule, case.name, rows, texts, {first + local: reason for local, reason in case.left_out.items()})
