"""The command line, called in this process, which is fast; with its own exit code and messages."""

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from probesheets.cli import main
from tests.build import remembered


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def probesheets(folder: Path, environment: Mapping[str, str], *arguments: str) -> Result:
    """Run `probesheets ARGUMENTS` in a folder."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in remembered(environment, folder).items():
            patch.setenv(name, value)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as exit_:
            main(list(arguments))
    return Result(int(exit_.value.code or 0), out.getvalue(), err.getvalue())
