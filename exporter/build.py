"""dbt build, in a process of its own: nothing else of this package starts dbt or knows how it is installed."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from exporter.errors import ProbesheetsError
from exporter.progress import Advance, Track, silent

_STEP = re.compile(r"\d+ of (\d+) (\S+) (\S+)")  # a line of dbt: 3 of 78 START sql table model main.tags


def build(
    root: Path, target: str, variables: str, *, quiet: bool = False, log_to_stderr: bool = False, track: Track = silent
) -> None:
    """Build and test the models without the unit tests, artifacts in target/TARGET.

    Without a `track`, dbt's own lines are the progress. Raises ProbesheetsError if dbt or the target's adapter is
    missing, or if the build fails.
    """
    dbt_version = installed("dbt-core")
    if dbt_version is None:
        raise ProbesheetsError("dbt is not installed here. Type: make .venv, or: pip install .")
    if missing := missing_adapter(target):
        raise ProbesheetsError(missing)
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    command += ["--quiet"] if quiet else []
    command += [] if sys.stdout.isatty() else ["--no-use-colors"]
    command += ["build", "--target", target, "--vars", variables]
    command += ["--target-path", f"target/{target}", "--profiles-dir", str(root)]
    if not dbt_version.startswith("1.7."):
        command += ["--exclude-resource-type", "unit_test"]
    if track is silent:
        code = subprocess.run(command, cwd=root, check=False, stdout=2 if log_to_stderr else None).returncode
    else:
        code = _follow(command, root, track)
    if code:
        raise ProbesheetsError(
            "dbt build failed; its messages above say where. Nothing was exported: earlier files are as they were."
        )


def _follow(command: list[str], root: Path, track: Track) -> int:
    """Run dbt and count its steps; its other lines are printed. Returns its exit code."""
    advance: Advance | None = None
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                if not (step := _STEP.search(line)):
                    print(line, end="", file=sys.stderr)
                elif step[2] != "START" and step[3] != "hook:":
                    advance = advance or track("models and tests", int(step[1]))
                    advance(1)
        except BaseException:
            process.kill()
            raise
    return process.returncode


def read_variables(text: str) -> dict[str, Any]:
    """The variables of --vars. Raises ProbesheetsError if they are not a YAML mapping."""
    try:
        variables = yaml.safe_load(text)
    except yaml.YAMLError:
        variables = None
    if not isinstance(variables, dict):
        raise ProbesheetsError(
            f"--vars {text!r} is not a YAML mapping. Write it like: --vars '{{extra_tags: [author]}}'"
        )
    return variables


def installed(package: str) -> str | None:
    """The version of a package, None if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def missing_adapter(target: str) -> str | None:
    """What to do if the target's adapter is not installed, None if it is."""
    package, command = ("dbt-duckdb", "make .venv") if target == "duckdb" else ("dbt-mysql", "make .venv-mysql")
    if find_spec("dbt") and find_spec("dbt.adapters") and find_spec("dbt.adapters." + target):
        return None
    extra = "." if target == "duckdb" else "'.[mysql]'"
    return (
        f"Target {target} needs {package}, which is not installed here. Type: {command}\n"
        f"or, in a new virtual environment: pip install {extra}"
    )
