"""No pattern repeats a group without a limit: on long texts, that overflows the stack of Java, and so ends Spark."""

import re

import pytest

from tests.build import Source
from tests.conftest import Builder

LITERAL = re.compile(r"'(?:[^']|'')*'")
UNLIMITED = re.compile(r"\)(?:[*+]|\{\d+,\})")


def unlimited(sql: str) -> list[str]:
    """The string literals of a query that are patterns with a group that repeats without a limit."""
    return [text for text in LITERAL.findall(sql) if UNLIMITED.search(re.sub(r"\[\^?[^]]*\]", "x", text))]


def test_no_group_repeats_without_a_limit(built: Builder, rules: Source) -> None:
    nodes = built("duckdb", rules).manifest["nodes"].values()
    compiled = {node["name"]: node.get("compiled_code") or "" for node in nodes}
    assert sum("(?-i)" in sql for sql in compiled.values()) > 5
    compiled.pop("rows_transcript")  # for DuckDB only, whose patterns need no stack
    assert {name: found for name, sql in compiled.items() if (found := unlimited(sql))} == {}


@pytest.mark.parametrize("pattern", ["(?:https?://)+", "(a|b)*", "x(?:[.][a-z]){2,}"])
def test_the_search_finds_such_groups(pattern: str) -> None:
    assert unlimited(f"select regexp_replace(x, '{pattern}', '') + count(*)")
