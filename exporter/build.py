"""dbt build, in a process of its own: nothing else of this package starts dbt or knows how it is installed."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from exporter.errors import ProbesheetsError


def build(root: Path, target: str, variables: str, *, quiet: bool = False, log_to_stderr: bool = False) -> None:
    """Build and test the models without the unit tests, artifacts in target/TARGET. dbt's own lines are the progress.

    Raises ProbesheetsError if dbt or the target's adapter is missing, or if the build fails.
    """
    dbt_version = installed("dbt-core")
    if dbt_version is None:
        raise ProbesheetsError("dbt is not installed here. Type: make .venv, or: pip install .")
    if missing := missing_adapter(target):
        raise ProbesheetsError(missing)
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    command += ["--quiet"] if quiet else []
    command += ["build", "--target", target, "--vars", variables]
    command += ["--target-path", f"target/{target}", "--profiles-dir", str(root)]
    if not dbt_version.startswith("1.7."):
        command += ["--exclude-resource-type", "unit_test"]
    result = subprocess.run(command, cwd=root, check=False, stdout=2 if log_to_stderr else None)
    if result.returncode:
        raise ProbesheetsError(
            "dbt build failed; its messages above say where. Nothing was exported: earlier files are as they were."
        )


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
