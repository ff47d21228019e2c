"""Compare an exported folder with its manifest. A library that did not write the workbooks reads them."""

from collections.abc import Iterator, Set
from pathlib import Path

from python_calamine import CalamineError

from probesheets.errors import ProbesheetsError
from probesheets.folder.delivered import READERS, open_sheet
from probesheets.folder.hashes import is_link, linked, sha256
from probesheets.folder.manifest import MANIFEST, Entry, read
from probesheets.folder.publish import check_name, is_ours
from probesheets.folder.verify_cells import compare_cells, listed
from probesheets.progress import Track, silent
from probesheets.project.kinds import dealt_kinds
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse


def verify(
    folder: Path, project: Project | None = None, warehouse: Warehouse | None = None, track: Track = silent
) -> Iterator[str]:
    """Yield a sentence for each difference between a folder and its manifest; with a warehouse, compare all cells, too.

    Only one workbook at a time is in memory. Raises ProbesheetsError if the folder does not exist.
    """
    check_name(folder)
    if not folder.is_dir():
        raise ProbesheetsError(
            f"{folder} is not a folder. Name a folder that an export wrote, as in: probesheets verify out"
        )
    try:
        manifest = read(folder)
    except ProbesheetsError as error:
        yield str(error)
        return
    if manifest is None:
        yield (
            f"{MANIFEST} is missing, so the folder can be neither verified nor continued. Restore it, or export into "
            "another folder with --out."
        )
        return
    if not manifest.complete:
        options = f"{f'--shard {manifest.shard} ' if manifest.shard else ''}--out {folder}"
        again = f"run the command that wrote it again, such as: probesheets export {options}"
        yield f"{MANIFEST}: an export was stopped or is still running. To complete the folder, {again}"
    unreadable, advance = set[str](), track("files", len(manifest.files))
    for entry in manifest.files:
        if said := _check_file(folder, entry, unreadable):
            yield f"{entry.path}: {said}"
        advance(1)
    yield from _foreign(folder, {entry.path for entry in manifest.files})
    if project and warehouse:
        yield from compare_cells(folder, manifest, project, warehouse, unreadable, track)


def other_build(folder: Path, project: Project) -> str | None:
    """A sentence if the models were built again since the folder was exported. Their cells may still be equal."""
    try:
        manifest = read(folder)
    except ProbesheetsError:  # `verify` reports it
        return None
    if manifest is None:
        return None
    kinds = dealt_kinds(project.kinds, manifest.samples)
    blocked = project.blocked(kinds.values())
    builds = {name: project.builds.build_of([kind.model]) for name, kind in kinds.items() if name not in blocked}
    for entry in manifest.files:
        if entry.kind in builds and entry.build != builds[entry.kind]["invocation"]:
            then = manifest.builds.get(entry.build or "", {"started": "an unknown time"})
            moments = [str(build["started"])[:19].replace("T", " ") for build in (then, builds[entry.kind])]
            return "{} was exported from the build of {}; the models are from the build of {} (UTC).".format(
                folder / entry.path, *moments
            )
    return None


def _check_file(folder: Path, entry: Entry, unreadable: set[str]) -> str | None:
    """What is wrong with a file; of several things, the most informative. Adds files without rows to `unreadable`."""
    file = folder / entry.path
    if linked(folder, entry.path) or not file.is_file():
        unreadable.add(entry.path)
        return "is a link, or in a folder that is one." if linked(folder, entry.path) else "is missing."
    try:
        changed = sha256(file) != entry.sha256
    except OSError as error:
        unreadable.add(entry.path)
        return f"cannot be read: {error.strerror}."
    if file.suffix == ".xlsx":
        try:
            sheet = open_sheet(file)
        except CalamineError as error:
            unreadable.add(entry.path)
            return f"cannot be opened: {str(error).splitlines()[0]}"
        rows = sheet.end[0] if sheet.end else 0
        if entry.columns:
            header = next(sheet.iter_rows(), [])
            if header != entry.columns:
                unreadable.add(entry.path)
                return f"its columns are {listed(header)}; the manifest says {listed(entry.columns)}."
            if rows != entry.rows:
                return f"has {rows:,} rows; the manifest says {entry.rows:,}."
    elif entry.columns and (read := READERS.get(file.suffix)):
        try:
            count = sum(1 for _ in read(file, entry.columns))
        except ValueError as error:
            unreadable.add(entry.path)
            return f"cannot be read: {error}."
        if count != entry.records:
            unreadable |= {entry.path} if file.suffix == ".txt" else set()  # whose records are known by their places
            return f"has {count:,} records; the manifest says {entry.records:,}."
    return "was changed after the export: its SHA-256 differs from the manifest." if changed else None


def _foreign(folder: Path, known: Set[str]) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not (is_ours(name.parts[0]) or (path.is_dir() and not is_link(path)) or name.as_posix() in known):
            yield f"{name.as_posix()}: was not written by an export."
