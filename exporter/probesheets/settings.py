"""Where the project is, and its settings: profiles.yml and sources.yml as dbt reads them, and the exporter's own."""

import os
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from probesheets.errors import ProbesheetsError, near

WORKERS = 2  # kinds of spreadsheet that are written at the same time


def find_root() -> Path:
    """The project folder: the current folder or the nearest one above it. Raises ProbesheetsError if there is none."""
    start = Path.cwd()
    for folder in (start, *start.parents):
        file = folder / "dbt_project.yml"
        if file.is_file() and "name: probesheets" in file.read_text(encoding="utf-8"):
            return folder
    raise ProbesheetsError(
        f"{start} is not inside a probesheets project: no dbt_project.yml here or in a folder above.\n"
        "Change to the project's folder, or create a project with: probesheets init lab"
    )


def targets() -> list[str]:
    """The targets that profiles.yml has."""
    return list(_read(find_root() / "profiles.yml")["probesheets"]["outputs"])


def check_target(target: str) -> None:
    """Raises ProbesheetsError for a target that profiles.yml does not have."""
    if target not in targets():
        raise ProbesheetsError(f"There is no target {target!r}. {near(target, targets())}")


def how_to_install(target: str) -> str:
    """What to run if the packages of a target are missing. The adapters need environments of their own."""
    adapter, command, extra = (
        ("dbt-duckdb", ".venv", "") if target == "duckdb" else ("dbt-mysql", ".venv-mysql", "[mysql]")
    )
    return (
        f"Target {target} needs {adapter}, which is not installed here. In a checkout, run: make {command}\n"
        f"Otherwise, in a new virtual environment, run: pip install 'probesheets{extra}'"
    )


def profile(target: str) -> dict[str, Any]:
    """The settings of a target in profiles.yml; all values are texts."""
    return dict(_rendered(_read(find_root() / "profiles.yml")["probesheets"]["outputs"][target], target))


def source_schema(target: str) -> str:
    """The schema that holds table_output, as in models/sources.yml."""
    return str(_rendered(_read(find_root() / "models" / "sources.yml")["sources"][0]["schema"], target))


def database_file() -> Path:
    """The file of the target duckdb, which may not exist yet. A relative path starts in the project, as for dbt."""
    return find_root() / os.path.expanduser(str(profile("duckdb")["path"]))  # noqa: PTH111 (never fails)


def memory() -> int:
    """The memory that DuckDB may use in a build, in bytes. Raises ProbesheetsError unless it is a size."""
    text = profile("duckdb")["settings"]["memory_limit"]
    size = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(MB|GB|TB)", text, re.IGNORECASE)
    found = float(size[1]) * {"M": 1e6, "G": 1e9, "T": 1e12}[size[2][0].upper()] if size else 0
    if found < 5e8:
        raise ProbesheetsError(
            f"PROBESHEETS_MEMORY must be a size such as 2GB or 600MB, and at least 500MB; it is {text!r}."
        )
    return int(found)


def more_memory() -> str:
    """The setting to recommend if the memory was too small."""
    return f"PROBESHEETS_MEMORY={2 * memory() / 1e9:g}GB"


def workers() -> int:
    """How many kinds of spreadsheet are written at the same time."""
    return _whole_number("PROBESHEETS_WORKERS", WORKERS, least=1, most=1_000)


def now() -> datetime:
    """The current time in whole seconds, or SOURCE_DATE_EPOCH (seconds since 1970) if it is set."""
    epoch = _whole_number("SOURCE_DATE_EPOCH", 0, least=0, most=253_402_300_799)  # the last second of the year 9999
    return datetime.fromtimestamp(epoch, UTC) if epoch else datetime.now(UTC).replace(microsecond=0)


def _whole_number(variable: str, default: int, *, least: int, most: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 15 and least <= int(text) <= most):
        raise ProbesheetsError(f"{variable} must be a whole number from {least} to {most}; it is {text!r}.")
    return int(text)


def variables() -> dict[str, Any]:
    """The variables of dbt_project.yml, with their defaults."""
    return dict(_read(find_root() / "dbt_project.yml")["vars"])


def _read(file: Path) -> Any:
    return _parsed(file, file.stat().st_mtime_ns)


@cache
def _parsed(file: Path, _changed: int) -> Any:
    import yaml

    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _rendered(value: Any, target: str) -> Any:
    """A value of a YAML file of dbt, with the expressions in its texts evaluated."""
    if isinstance(value, dict):
        return {key: _rendered(one, target) for key, one in value.items()}
    if not isinstance(value, str) or "{" not in value:
        return value if isinstance(value, dict) else str(value)
    from jinja2 import Environment

    environment = Environment()
    environment.filters["int"] = str  # the server's port is checked where it is used
    return environment.from_string(value).render(env_var=os.environ.get, target={"type": target})
