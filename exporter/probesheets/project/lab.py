"""`probesheets init`: the dbt project that the package brings, written as a project of the analyst's own."""

import shutil
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import probesheets
from probesheets.errors import ProbesheetsError, shown

_PACKAGE = Path(probesheets.__file__).resolve().parent
_PROJECT_FILE = "dbt_project.yml"
_GITIGNORE = """\
*.duckdb
*.duckdb.*
target/
logs/
out/
.venv*/
.user.yml
"""


def write_lab(folder: Path) -> None:
    """Write models, macros, tests, the sample and the settings of dbt into a folder that is new or empty.

    All of it or nothing. Raises ProbesheetsError if the folder holds something or cannot be written.
    """
    try:
        folder = folder.resolve()
        _refuse_unless_empty(folder)
        is_new = not folder.exists()
        place = folder.parent if is_new else folder
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".probesheets-", dir=place) as staging:
            written = Path(staging) / "lab"
            _copy_project(written)
            if is_new:
                written.rename(folder)
            else:
                _move_all(written, folder)
    except OSError as error:
        raise ProbesheetsError(
            f"The project cannot be written into {folder}: {error.strerror or error}.\n"
            "Name another folder, as in: probesheets init lab"
        ) from error


def _refuse_unless_empty(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ProbesheetsError(f"{folder} is a file. Name a new or empty folder, as in: probesheets init lab")
    if held := sorted(file.name for file in folder.iterdir()):
        if _PROJECT_FILE in held:
            advice = "It is a dbt project already: go into it, and run: probesheets run"
        else:
            advice = "Name a new or empty folder, as in: probesheets init lab"
        more = f" and {len(held) - 3} more" if len(held) > 3 else ""
        raise ProbesheetsError(f"{folder} is not empty: it holds {shown(', '.join(held[:3]))}{more}.\n{advice}")


def _copy_project(target: Path) -> None:
    for source, destination in _parts().items():
        files = [source] if source.is_file() else sorted(source.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                copy = target / destination / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)  # not its permissions: an installed package may be read-only
    (target / ".gitignore").write_text(_GITIGNORE, encoding="utf-8")


def _parts() -> dict[Path, str]:
    """What to copy, and its place in the project: the wheel's folder, or the checkout's, as the wheel takes them."""
    installed = _PACKAGE / "lab"
    if installed.is_dir():
        return {installed: "."}
    checkout = _PACKAGE.parents[1]
    settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    parts = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    return {checkout / source: place.removeprefix("probesheets/lab/") for source, place in parts.items()}


def _move_all(source: Path, folder: Path) -> None:
    """Into an empty folder, which may be the shell's own; it is a project once all of it has come."""
    moved: list[Path] = []
    try:
        for part in sorted(source.iterdir(), key=lambda part: part.name == _PROJECT_FILE):
            moved.append(part)
            part.rename(folder / part.name)
    except BaseException:
        for part in moved:
            if not part.exists():
                (folder / part.name).rename(part)
        raise
