"""Where the project is, and its settings: profiles.yml as dbt reads it, and the exporter's own."""

import os
import re
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import Any

from probesheets.errors import ProbesheetsError, near


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


def check_target(target: str) -> None:
    """Raises ProbesheetsError for a target that profiles.yml does not have."""
    if target not in _outputs():
        raise ProbesheetsError(f"There is no target {target!r}. {near(target, _outputs())}")


def is_duckdb(target: str) -> bool:
    """Whether a target is a DuckDB file, not a server."""
    return setting(target, "type") == "duckdb"


def is_spark(target: str) -> bool:
    """Whether Spark builds the models of a target."""
    return setting(target, "type") == "spark"


def how_to_install(target: str) -> str:
    """What to run if the packages of a target are missing. The adapters need separate environments."""
    adapter, command, extra = ("dbt-mysql", ".venv-mysql", "[mysql]")
    if is_duckdb(target):
        adapter, command, extra = ("dbt-duckdb", ".venv", "")
    elif is_spark(target):
        adapter, command, extra = ("dbt-spark", ".venv-spark", "[spark]")
    wheel = f"probesheets-{version('probesheets')}-py3-none-any.whl{extra}"
    return (
        f"Target {target} needs {adapter}, which is not installed here. In a checkout, run: make {command}\n"
        f"Otherwise, in a new virtual environment, run: pip install '{wheel}'"
    )


def setting(target: str, *keys: str) -> str:
    """A setting of a target in profiles.yml, with its expressions evaluated as dbt does.

    Raises ProbesheetsError if profiles.yml cannot be read or does not have the target or the setting.
    """
    check_target(target)
    value: Any = _outputs()[target]
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise ProbesheetsError(f"profiles.yml: the target {target} has no setting {' '.join(keys)!r}.")
        value = value[key]
    return _evaluated(str(value))


def database_file(target: str) -> Path:
    """The file of a DuckDB target, which may not exist yet. A relative path starts in the project, as for dbt."""
    return find_root() / os.path.expanduser(setting(target, "path"))  # noqa: PTH111 (never fails)


def artifacts(target: str) -> Path:
    """The folder for what dbt writes about a database: its log, and its state. Databases side by side share nothing."""
    kind = setting(target, "type")
    names = {"duckdb": ("path",), "spark": ("host", "port", "files", "schema")}.get(kind, ("server", "port", "schema"))
    place = ":".join(setting(target, name) for name in names)  # as written, so that a moved project keeps its state
    return find_root() / "target" / f"{target}-{sha256(place.encode()).hexdigest()[:8]}"


def memory() -> int:
    """The memory that DuckDB may use in a build, in bytes. Raises ProbesheetsError unless it is a size."""
    text = setting("duckdb", "settings", "memory_limit")
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
    return _whole_number("PROBESHEETS_WORKERS", 2, least=1, most=1_000)


def now() -> datetime:
    """The current time in whole seconds, or SOURCE_DATE_EPOCH (seconds since 1970) if it is set."""
    last = 253_402_300_799  # the last second of the year 9999
    return datetime.fromtimestamp(_whole_number("SOURCE_DATE_EPOCH", int(time()), least=0, most=last), UTC)


def _whole_number(variable: str, default: int, *, least: int, most: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 15 and least <= int(text) <= most):
        raise ProbesheetsError(f"{variable} must be a whole number from {least} to {most}; it is {text!r}.")
    return int(text)


def variables() -> dict[str, Any]:
    """The variables of dbt_project.yml, with their defaults."""
    return dict(read_yaml(find_root() / "dbt_project.yml")["vars"])


def read_yaml(file: Path) -> Any:
    """The content of a YAML file. Raises ValueError if it is not YAML."""
    return _parsed(file, file.stat().st_mtime_ns)


@cache
def _parsed(file: Path, _changed: int) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast; not every build of yaml has it
    try:
        return yaml.load(file.read_text(encoding="utf-8"), loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error).replace("\n", " ")) from None


def _outputs() -> dict[str, Any]:
    file = find_root() / "profiles.yml"
    try:
        return dict(read_yaml(file)["probesheets"]["outputs"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ProbesheetsError(
            f"{file} cannot be read: {error}\nIt must list the targets under probesheets: outputs."
        ) from None


def _evaluated(text: str) -> str:
    from jinja2 import Environment, TemplateError

    environment = Environment()
    environment.filters |= dict.fromkeys(("int", "as_number", "as_bool", "as_native", "as_text"), str)
    try:
        return environment.from_string(text).render(env_var=_env_var)
    except TemplateError as error:
        raise ProbesheetsError(f"profiles.yml: {text} cannot be evaluated: {error}") from None


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ProbesheetsError(f"profiles.yml needs the environment variable {name}. Set it and run the command again.")
    return value
