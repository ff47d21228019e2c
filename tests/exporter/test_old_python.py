"""On a Python that is too old or too new, an installation ends at once, with the versions that work."""

import os
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.servers import ROOT

PRETENDING = '#!/bin/sh\n{0} -c "import sys; sys.version_info = ({1}, 18); $2"\n'  # for: python -c CODE


def install(python: str, pins: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = ["sh", str(ROOT / "requirements" / "install.sh"), str(tmp_path / "venv"), pins]
    return subprocess.run(script, env=os.environ | {"PYTHON": python}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("version", "pins", "versions"),
    [
        ("2.7", "duckdb", "3.11, 3.12 or 3.13"),
        ("3.1", "duckdb", "3.11, 3.12 or 3.13"),
        ("3.9", "duckdb", "3.11, 3.12 or 3.13"),
        ("3.10", "mysql", "3.11 or 3.12"),
        ("3.13", "mysql", "3.11 or 3.12"),
        ("3.14", "duckdb", "3.11, 3.12 or 3.13"),
    ],
)
def test_make_names_the_versions(version: str, pins: str, versions: str, tmp_path: Path) -> None:
    """The Python that it is given pretends to be another."""
    python = tmp_path / "python"
    python.write_text(PRETENDING.format(sys.executable, version.replace(".", ", ")), encoding="utf-8")
    python.chmod(0o755)
    result = install(str(python), pins, tmp_path)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"{tmp_path / 'venv'} needs Python {versions}, but '{python}' is {version}.",
        f"Name another one, as in: make PYTHON=python3.12 {tmp_path / 'venv'}",
    ]
    assert not (tmp_path / "venv").exists()


def test_make_without_python(tmp_path: Path) -> None:
    result = install("no-such-python", "duckdb", tmp_path)
    assert result.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13, but 'no-such-python' is missing.\n" in result.stderr
    assert len(result.stderr.splitlines()) == 2


def test_pip_has_nothing_to_look_for_on_an_old_python() -> None:
    """Before pip 24.1, pip looks for every dependency first, and stops at one that does not support the old Python."""
    needed = [Requirement(one) for one in requires("probesheets") or [] if "extra ==" not in one]
    assert len(needed) > 10
    for one in needed:
        assert one.marker and not one.marker.evaluate({"python_version": "3.10"}), one
        assert one.marker.evaluate({"python_version": "3.11"}), one
