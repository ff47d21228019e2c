"""dbt build, in a process of its own: nothing else of this package starts dbt or knows how it is installed."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from exporter.errors import ProbesheetsError, near
from exporter.progress import Advance, Track, silent

# of a variable: what is taken, as it is called, an example
_KINDS: dict[type, tuple[tuple[type, ...], str, str]] = {
    list: ((list,), "a list", "[name]"),
    bool: ((bool,), "true or false", "false"),
    str: ((str, int, float), "a text", "name"),
}
_STEP = re.compile(r"\S+ +\d+ of (\d+) (\S+) (\S+)")  # a line of dbt: 3 of 78 START sql table model main.tags


def build(root: Path, target: str, variables: str, *, quiet: bool = False, track: Track = silent) -> None:
    """Build and test the models without the unit tests, artifacts in target/TARGET.

    Without a `track`, dbt's own lines are the progress, on stderr. Raises ProbesheetsError if dbt or the target's
    adapter is missing, or if the build fails.
    """
    dbt_version = installed("dbt-core")
    if dbt_version is None:
        raise ProbesheetsError("dbt is not installed here. Type: make .venv, or: pip install .")
    if missing := missing_adapter(target):
        raise ProbesheetsError(missing)
    command = [sys.executable, "-m", "exporter.dbt_process"]
    command += ["--quiet"] if quiet else []
    command += [] if sys.stderr.isatty() else ["--no-use-colors"]
    command += ["build", "--target", target, "--vars", variables]
    command += ["--target-path", f"target/{target}", "--profiles-dir", str(root)]
    if not dbt_version.startswith("1.7."):
        command += ["--exclude-resource-type", "unit_test"]
    if _run(command, root, track):
        hint = (
            ""
            if target == "duckdb"
            else f" What is missing on a server, this says: probesheets check --target {target}"
        )
        raise ProbesheetsError(
            "dbt build failed; its messages above say where. Nothing was exported: earlier files are as they were."
            + hint
        )


def _run(command: list[str], root: Path, track: Track) -> int:
    """Run dbt, and return its exit code. With a `track`, its steps are counted and only its other lines are shown.

    In a session of its own: Ctrl-C reaches this process alone, which then ends dbt, without dbt's own traceback.
    """
    environment = {**os.environ, "PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker"}
    advance: Advance | None = None
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=2 if track is silent else subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                if not (step := _STEP.match(line)):
                    print(line, end="", file=sys.stderr)
                elif step[2] != "START" and step[3] != "hook:":
                    advance = advance or track("models and tests", int(step[1]))
                    advance(1)
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
        taken, kind, example = _KINDS[type(defaults[name])]
        if not isinstance(value, taken):
            raise ProbesheetsError(f"--vars: {name} must be {kind}, as in --vars '{{{name}: {example}}}'")
    return defaults | given


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
