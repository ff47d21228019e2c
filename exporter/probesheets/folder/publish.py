"""The output folder: one export at a time, final names only for complete files, and no change to other files."""

import json
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from filelock import FileLock, Timeout
from msgspec.structs import replace

from probesheets.errors import ProbesheetsError, counted
from probesheets.folder import manifest
from probesheets.folder.hashes import folders_of, hash_of, is_link, sha256
from probesheets.folder.manifest import DELIVERED, FORMAT, MANIFEST, OURS, Entry, Manifest, is_other, read_json, refuse
from probesheets.settings import find_root

_LOCK, _RECORD = f"{OURS}.lock", f"{OURS}.json"  # the record names the staging folder
_STAGING = re.compile(rf"{re.escape(OURS)}-[0-9a-f]{{32}}")
_LISTED = 20  # files in a message
_CHANGED = "changed after it was exported"
# folders of the project, in a checkout or in what init writes, and those that dbt and make write there
_PROJECT = (
    *("models", "macros", "seeds", "tests", "sample", "exporter", "docs", "benchmarks", "requirements"),
    *("target", "logs"),
)


class Folder:
    """An output folder that only this process writes to, inside `open_folder`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = manifest.read(path) or _new_manifest(path)
        self.listed = {entry.path: entry for entry in self.manifest.files}
        self.files = self._found()
        self.staging = _make_staging(path)

    def _found(self) -> dict[str, Entry]:
        """The listed files. Of those that a stopped export was writing, the old or new ones that exist."""
        unsure = set(self.manifest.unwritten)
        either = [entry for entry in [*self.manifest.replaced, *self.manifest.files] if entry.path in unsure]
        there = {entry.path: entry for entry in either if hash_of(self.path, entry.path) == entry.sha256}
        return {name: entry for name, entry in self.listed.items() if name not in unsure} | there

    def check(self, names: Collection[str]) -> list[str]:
        """Raises ProbesheetsError if an export would replace or remove files that are not as we wrote them.

        A name that ends in / is a folder. Returns the changed files that are not workbooks: they will be renamed.
        """
        ours: dict[str, set[str]] = {}
        for entry in [*self.manifest.replaced, *self.manifest.files]:
            ours.setdefault(entry.path, set()).add(entry.sha256)
        folders = {some for name in names for some in folders_of(f"{name}x")}  # a/ is a folder, too
        taken = [name for name in sorted(folders) if is_link(self.path / name) or (self.path / name).is_file()]
        said: dict[str, str | None] = {f"{name}/": "a link or a file" for name in taken}
        said |= {name: self._in_the_way(name, ours.get(name)) for name in sorted(names) if not name.endswith("/")}
        aside = [name for name, what in said.items() if what == _CHANGED and is_other(name)]
        found = [f"  {name}: {what}" for name, what in said.items() if what and name not in aside]
        if found:
            more = [f"  and {len(found) - _LISTED:,} more"] if len(found) > _LISTED else []
            begin = f"Nothing was written into {self.path}. An export would replace or remove these files:"
            end = "Move them, or choose another folder with --out."
            raise ProbesheetsError("\n".join([begin, *found[:_LISTED], *more, end]))
        return aside

    def _in_the_way(self, name: str, ours: set[str] | None) -> str | None:
        """Why a file must not be replaced or removed; None if it may be."""
        try:
            mode = (self.path / name).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not S_ISREG(mode):
            return "a link" if S_ISLNK(mode) else "not a file"
        if ours is None:
            return "not written by probesheets"
        return None if sha256(self.path / name) in ours else _CHANGED

    def publish(self, new: Manifest, *, replace_all: bool, gone: Set[str] = frozenset()) -> list[str]:
        """Give the staged files their final names, then write the manifest. Returns notes for the user.

        `replace_all` removes our other files; without it, only those in `gone` are removed. Until all files have their
        names, the manifest lists old and new files, so that the next export knows which are ours. If an export was
        stopped, the files that it did not write stay listed, and the folder incomplete, until an export writes them.
        """
        added, listed, unsure = {entry.path: entry for entry in new.files}, self.listed, self.manifest.unwritten
        changing = added.keys() | (listed.keys() if replace_all else gone)
        kept = {name: entry for name, entry in self.files.items() if name not in changing}
        unwritten = {name for name in unsure if name not in changing and kept.get(name) != listed[name]}
        files = {**kept, **{name: listed[name] for name in unwritten}, **added}
        removed = listed.keys() - files.keys()
        aside = self.check(removed | added.keys())
        full = replace_all or self.manifest.full
        last = replace(self.manifest, shard=new.shard)
        self._write_manifest(last, full, {**listed, **added}, {*unsure, *removed, *added}, self.files)
        notes = [self._set_aside(name) for name in aside]
        if books := sorted(name for name in removed if listed[name].columns):
            some = ", ".join(books[:3]) + (", …" if len(books) > 3 else "")
            notes.append(f"Removed {counted(len(books), 'file')} that this export does not write: {some}")
        for folder in {(self.path / name).parent for name in added}:
            folder.mkdir(parents=True, exist_ok=True)
        for name in added:
            (self.staging / name).replace(self.path / name)
        for name in removed:
            (self.path / name).unlink(missing_ok=True)
            with suppress(OSError):  # a folder is not empty
                for some in folders_of(name):
                    (self.path / some).rmdir()
        self._write_manifest(new, full, files, unwritten, kept)
        return notes

    def _write_manifest(
        self, last: Manifest, full: bool, files: Mapping[str, Entry], unwritten: Set[str], there: Mapping[str, Entry]
    ) -> None:
        """`there` are the files that the folder has in place of the unwritten ones."""
        replaced = [there[name] for name in sorted(unwritten & there.keys()) if there[name] != files[name]]
        used = {entry.build for entry in files.values()}
        builds = {name: build for name, build in last.builds.items() if name in used}
        last = replace(
            last, builds=builds, files=[files[name] for name in sorted(files)], full=full, complete=not unwritten
        )
        manifest.write(self.staging / MANIFEST, replace(last, unwritten=sorted(unwritten), replaced=replaced))
        (self.staging / MANIFEST).replace(self.path / MANIFEST)

    def _set_aside(self, name: str) -> str:
        """Rename a file that the user changed. Exports no longer touch it."""
        stem, _, ending = name.rpartition(".")
        names = (f"{stem}-edited{f'-{number}' if number > 1 else ''}.{ending}" for number in count(1))
        free = next(other for other in names if not ((self.path / other).exists() or is_link(self.path / other)))
        (self.path / name).rename(self.path / free)
        return f"{name} {_CHANGED}. It was renamed to {free}."


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Create and lock an output folder. Raises ProbesheetsError if that fails or another export is writing into it."""
    check_name(path)
    added = [some for some in (path, *path.parents) if not some.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise ProbesheetsError(
            f"Another export is writing into {path}. Wait for it, or choose another folder with --out."
        ) from None
    except OSError as error:
        raise _not_writable(path, error) from None
    folder = None
    try:
        folder = Folder(path)
        try:
            yield folder
        finally:
            shutil.rmtree(folder.staging, ignore_errors=True)
            if not folder.staging.exists():
                (path / _RECORD).unlink(missing_ok=True)
    except OSError as error:
        raise _not_writable(path, error) from None
    finally:
        if folder is None or not (path / MANIFEST).exists():  # nothing in it is ours
            with suppress(OSError):
                (path / _LOCK).unlink()
                for some in added:
                    some.rmdir()
        lock.release()


def check_place(path: Path) -> None:
    """Raises ProbesheetsError if `path` is a file, or in one, or if it belongs to the project."""
    place, root = Path(os.path.realpath(path)), find_root().resolve()
    if file := next((some for some in (place, *place.parents) if os.path.isfile(some)), None):  # noqa: PTH113 (never fails)
        raise ProbesheetsError(f"{file} is a file. Give a folder with --out, such as out.")
    if place == root or any((root / name).resolve() in (place, *place.parents) for name in _PROJECT):
        raise ProbesheetsError(f"{path} belongs to the project. Give another folder with --out, such as out.")


def check_name(path: Path) -> None:
    """Raises ProbesheetsError for a name that is not UTF-8: many libraries cannot open files there."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ProbesheetsError(f"{str(path)!a} is not UTF-8. Rename the folder, or choose another one.") from None


def is_ours(name: str) -> bool:
    """Whether a file or folder in an output folder is ours, although the manifest does not list it."""
    return name in (MANIFEST, _LOCK, _RECORD) or bool(_STAGING.fullmatch(name.removesuffix(".json")))


def _lock(file: Path) -> FileLock:
    """Our lock file is empty; filelock writes the number of the process if the file system has no locks."""
    if is_link(file) or (
        file.exists() and not (file.is_file() and re.match(rb"\d+\n|filelock/|\Z", file.read_bytes()))
    ):
        refuse(file)
    return FileLock(file)


def _make_staging(path: Path) -> Path:
    """Create a folder for files that do not have their final names yet; remove that of an export that was killed.

    Its name is recorded first, so that we never remove a folder that is not ours.
    """
    record, name = path / _RECORD, f"{OURS}-{uuid.uuid4().hex}"
    left = read_json(record)
    if left is not None:
        staging = left.get("staging") if isinstance(left, dict) and left.get("format") == FORMAT else None
        if not isinstance(staging, str) or not _STAGING.fullmatch(staging):
            refuse(record)
        shutil.rmtree(path / staging, ignore_errors=True)
    for file in path.glob(f"{OURS}-*.json"):  # of an export that was killed before it could rename its record
        ours = _STAGING.fullmatch(file.stem) and file.is_file() and not is_link(file)
        if ours and _record(file.stem).startswith(file.read_bytes()):
            file.unlink()
    written = path / f"{name}.json"
    try:
        written.write_bytes(_record(name))
        written.replace(record)
    finally:
        written.unlink(missing_ok=True)
    (path / name).mkdir()
    return path / name


def _record(staging: str) -> bytes:
    return json.dumps({"format": FORMAT, "staging": staging}).encode()


def _new_manifest(path: Path) -> Manifest:
    """The manifest of a new folder. Raises ProbesheetsError if the folder must have had one before."""
    if (path / DELIVERED).exists():
        raise ProbesheetsError(
            f"{path} has {DELIVERED} but no {MANIFEST}. Restore {MANIFEST}, or choose another folder with --out."
        )
    return Manifest()


def _not_writable(path: Path, error: OSError) -> ProbesheetsError:
    where = f" ({error.filename})" if error.filename and Path(str(error.filename)) != path else ""
    return ProbesheetsError(
        f"{path} cannot be written: {error.strerror or error}{where}.\n"
        "No file was left half-written. Free some disk space, close programs that use the folder, or get permission to "
        "write there. Or choose another folder with --out."
    )
