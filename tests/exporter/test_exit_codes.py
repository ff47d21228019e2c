"""Only cli.py ends the program: everything else raises an error that says what to do."""

import ast

import pytest

from tests.servers import ROOT

PACKAGE = ROOT / "exporter" / "probesheets"
FILES = sorted(file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "cli.py")
ENDINGS = {"SystemExit", "sys.exit", "exit", "quit", "typer.Exit", "typer.Abort"}


def endings(code: str) -> list[str]:
    """What ends the program: calls and raises by these names, and imports of them."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Name | ast.Attribute):
            found.append(ast.unparse(node))
    return [name for name in found if name in ENDINGS]


@pytest.mark.parametrize("code", ["import sys\nsys.exit(1)", "from sys import exit", "raise SystemExit(2)"])
def test_an_ending_is_found(code: str) -> None:
    assert endings(code)


def test_only_the_command_line_ends_the_program() -> None:
    assert len(FILES) > 20
    assert {file.name: endings(file.read_text(encoding="utf-8")) for file in FILES} == {file.name: [] for file in FILES}


def test_the_command_line_does() -> None:
    assert endings((PACKAGE / "cli.py").read_text(encoding="utf-8"))
