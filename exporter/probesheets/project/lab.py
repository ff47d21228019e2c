"""`probesheets init`: write the dbt project of the package as the analyst's own project."""

import shutil
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import probesheets
from probesheets.errors import ProbesheetsError, shown

_PACKAGE = Path(probesheets.__file__).resolve().parent
_PROJECT_FILE = "dbt_project.yml"
# also the analyst's data and workbooks, which do not belong in the history of the project
_IGNORED = ("*.duckdb*", "spark/", ".probesheets*", "target/", "logs/", "out/", ".venv*/", ".user.yml", "*/**/*.txt")
_DATA = (
    *("/*.csv", "/*.parquet", "*.xlsx", "*.qdpx", "*.qda/", "**/pages/*.html"),
    *("manifest.json", "delivered.csv", "changed.csv"),
)


def write_lab(folder: Path) -> None:
    """Write models, macros, tests, the sample and dbt's settings into a folder that is new or empty: all or nothing.

    Raises ProbesheetsError if the folder is not empty or cannot be written.
    """
    folder = folder.resolve()
    is_new = not folder.exists()
    try:
        _refuse_unless_empty(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".probesheets-", dir=folder) as staging:
            for source, place in _sources().items():
                target = Path(staging, place)
                target.parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir():
                    # without permissions: an installed package may be read-only
                    shutil.copytree(source, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
                else:
                    shutil.copyfile(source, target)
            Path(staging, ".gitignore").write_text("\n".join([*_IGNORED, *_DATA, ""]), encoding="utf-8")
            # the project file comes last, because it makes the folder a project
            parts = sorted(Path(staging).iterdir(), key=lambda part: part.name == _PROJECT_FILE)
            try:
                for part in parts:
                    part.rename(folder / part.name)
            except BaseException:
                for part in parts:
                    if not part.exists():
                        (folder / part.name).rename(part)
                raise
    except BaseException as error:
        if is_new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        if not isinstance(error, OSError):
            raise
        raise ProbesheetsError(
            f"The project cannot be written into {folder}: {error.strerror or error}.\n"
            "Name another folder, as in: probesheets init lab"
        ) from None


def _refuse_unless_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ProbesheetsError(f"{folder} is a file. Name a new or empty folder, as in: probesheets init lab")
    if found := sorted(file.name for file in folder.iterdir()) if folder.exists() else []:
        advice = "Name a new or empty folder, as in: probesheets init lab"
        if _PROJECT_FILE in found:
            advice = "It is already a dbt project. Change to it, and run: probesheets run"
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ProbesheetsError(f"{folder} is not empty: it contains {shown(', '.join(found[:3]))}{more}.\n{advice}")


def _sources() -> dict[Path, str]:
    """What to copy, and its place in the project: from the wheel, or from the same folders of a checkout."""
    installed = _PACKAGE / "lab"
    if installed.is_dir():
        return {installed: "."}
    checkout = _PACKAGE.parents[1]
    settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    parts = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    return {checkout / source: place.removeprefix("probesheets/lab/") for source, place in parts.items()}
