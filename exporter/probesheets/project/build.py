"""dbt build, in a process of its own: nothing else of this package starts dbt or knows how it is installed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from probesheets.errors import ProbesheetsError, near, printable
from probesheets.progress import Advance, Track, silent

# of a variable: as it is called, an example
_KINDS = {list: ("a list of texts", "[name]"), bool: ("true or false", "false"), str: ("a text", "name")}
_IGNORED = "ignore::UserWarning:multiprocessing.resource_tracker"
_STEP = re.compile(r"\S+ +\d+ of (\d+) (\S+) (\S+)")  # a line of dbt: 3 of 78 START sql table model main.tags


def build(root: Path, target: str, variables: str, *, quiet: bool = False, track: Track = silent) -> None:
    """Build and test the models without the unit tests, artifacts in target/TARGET.

    Without a `track`, dbt's own lines are the progress, on stderr. Raises ProbesheetsError if dbt or the target's
    adapter is missing, or if the build fails.
    """
    advance: Advance | None = None

    def show(line: str) -> None:
        nonlocal advance
        if track is silent or not (step := _STEP.match(line)):
            print(printable(line), end="", file=sys.stderr)
        elif step[2] != "START" and step[3] != "hook:":
            advance = advance or track("models and tests", int(step[1]))
            advance(1)

    command = ["build", "--target-path", f"target/{target}", *(["--quiet"] if quiet else [])]
    if not (installed("dbt-core") or "").startswith("1.7."):
        command += ["--exclude-resource-type", "unit_test"]
    if _dbt(root, target, variables, command, show):
        raise ProbesheetsError(
            "dbt build failed; its messages above say where. Nothing was exported: earlier files are as they were.\n"
            f"To see what stops a build before it starts, run: probesheets check --target {target}"
        )


def find_faults(root: Path, target: str, variables: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What a build would stop for at its start: the answer of the macro find_faults. Nothing is built.

    Raises ProbesheetsError if dbt or the target's adapter is missing, or if dbt cannot read the project.
    """
    said: list[str] = []
    with TemporaryDirectory(prefix="probesheets-") as folder:
        command = ["--quiet", "--print", "--log-format", "text", "run-operation", "find_faults"]
        command += ["--target-path", folder, "--log-path", folder]
        _dbt(root, target, variables, command, said.append, **environment)
    for line in said:
        if line.startswith('{"faults": '):
            return dict(json.loads(line))
    raise ProbesheetsError("dbt cannot read the project or reach the database:\n" + "".join(said).strip())


def _dbt(
    root: Path, target: str, variables: str, command: list[str], show: Callable[[str], None], **environment: str
) -> int:
    """Run dbt, give each line that it prints to `show`, and return its exit code.

    In a session of its own: Ctrl-C reaches this process alone, which then ends dbt, without dbt's own traceback.
    """
    if installed("dbt-core") is None:
        raise ProbesheetsError("dbt is not installed here. Run: make .venv, or: pip install .")
    if missing := missing_adapter(target):
        raise ProbesheetsError(missing)
    command += ["--no-use-colors", "--target", target, "--vars", variables, "--profiles-dir", str(root)]
    with subprocess.Popen(
        [sys.executable, "-m", "probesheets.project.dbt_process", *command],
        cwd=root,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": _IGNORED, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                show(line)
            return process.wait()
        except BaseException:
            process.kill()
            raise


def read_variables(root: Path, text: str) -> dict[str, Any]:
    """All variables: those of dbt_project.yml, or as --vars has them.

    Raises ProbesheetsError if `text` is not a YAML mapping of variables that the project has, each of its kind.
    """
    defaults = dict(yaml.safe_load((root / "dbt_project.yml").read_text(encoding="utf-8"))["vars"])
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError:
        given = None
    if not isinstance(given, dict):
        raise ProbesheetsError(
            f"--vars {text!r} is not a YAML mapping. Write it like: --vars '{{extra_tags: [author]}}'"
        )
    for name, value in given.items():
        if name not in defaults:
            raise ProbesheetsError(f"There is no variable {name!r}. {near(str(name), defaults)}")
        kind, example = _KINDS[type(defaults[name])]
        if not _fits(value, defaults[name]):
            raise ProbesheetsError(
                f"--vars: {name} must be {kind}, as in --vars '{{{name}: {example}}}', and not {value!r}"
            )
    return defaults | given


def _fits(value: Any, default: Any) -> bool:
    """Whether a variable may have a value; a number is the text of its digits."""
    if isinstance(default, list):
        return isinstance(value, list) and all(_fits(entry, "") for entry in value)
    return isinstance(value, bool) if isinstance(default, bool) else type(value) in (str, int, float)


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
        f"Target {target} needs {package}, which is not installed here. Run: {command}\n"
        f"or, in a new virtual environment: pip install {extra}"
    )
