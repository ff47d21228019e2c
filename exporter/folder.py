"""The output folder: one export at a time, final names for complete files only, a manifest of what is ours."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import Any

from filelock import FileLock, Timeout

from exporter.errors import ProbesheetsError

MANIFEST, DELIVERED = "manifest.json", "delivered.csv"
OURS = ".probesheets"  # begins the names of what is no spreadsheet, but ours
_LOCK = f"{OURS}.lock"
_STAGING = f"{OURS}-"


class Folder:
    """An output folder that this process alone writes to, between `open_folder` and its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = _read_manifest(path / MANIFEST)
        # what this tool wrote into the folder, by relative path, or was about to write when it was stopped
        self.listed: dict[str, dict[str, Any]] = {str(file["path"]): file for file in self.manifest.get("files", [])}
        self.files = self.listed if self.complete else self._found()
        self.staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=path))

    @property
    def complete(self) -> bool:
        """Whether the last export into the folder ended."""
        return bool(self.manifest.get("complete", True))

    def _found(self) -> dict[str, dict[str, Any]]:
        """Of what a stopped export lists, the files that are there, as the old export or the new one had them."""
        found = {}
        for entry in [*self.manifest.get("replaced", []), *self.listed.values()]:
            file = self.path / entry["path"]
            if file.is_file() and sha256(file) == entry["sha256"]:
                found[str(entry["path"])] = entry
        return found

    def publish(
        self,
        files: list[dict[str, Any]],
        others: dict[str, Any],
        *,
        replace_all: bool,
        gone: Set[str] = frozenset(),
    ) -> None:
        """Give staged files their final names, then write the manifest; `replace_all` removes our other files,
        else those that `gone` names are removed.

        Until all have their names, the manifest lists the old files and the new, so that nothing of ours is taken for
        somebody else's if this process is killed on the way. What an earlier export that was stopped did not write
        stays listed, and the folder incomplete, until an export writes it.
        """
        old, new = self.files, {str(file["path"]): file for file in files}
        self._refuse_foreign(self.listed, new)
        full = replace_all or self.manifest.get("full", False)
        replaced = [file for name, file in old.items() if name in new]
        listed = list({**self.listed, **new}.values())
        self._write_manifest({**self.manifest, "files": listed, "replaced": replaced, "complete": False})
        for folder in _folders(new):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        for name in new:
            (self.staging / name).replace(self.path / name)
        kept = new if replace_all else {**{name: file for name, file in old.items() if name not in gone}, **new}
        stale = set[str]() if replace_all else self.listed.keys() - old.keys() - new.keys() - gone
        unwritten = {name: self.listed[name] for name in stale}
        for name in self.listed.keys() - kept.keys() - unwritten.keys():
            (self.path / name).unlink(missing_ok=True)
            with suppress(OSError):  # another kind's folder, or not empty
                if (self.path / name).parent != self.path:
                    (self.path / name).parent.rmdir()
        ordered = [file for _, file in sorted({**kept, **unwritten}.items())]
        self._write_manifest({**others, "files": ordered, "full": full, "complete": not unwritten})

    def _refuse_foreign(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        # a file where a folder should be, a folder where a file should be, somebody else's file
        folders = {self.path / part for folder in _folders(new) for part in (folder, *folder.parents)}
        in_the_way = [path for path in sorted(folders) if path.exists() and not path.is_dir()]
        for name in new:
            final = self.path / name
            if final.exists() and (name not in old or final.is_dir()):
                in_the_way.append(final)
        if in_the_way:
            raise ProbesheetsError(
                f"{in_the_way[0]} is there already and was not written by probesheets. "
                "Move it, or choose another folder with --out."
            )

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        staged = self.staging / MANIFEST
        staged.write_text(_as_json(manifest), encoding="utf-8")
        staged.replace(self.path / MANIFEST)


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Make and lock an output folder. Raises ProbesheetsError if it cannot be written or another export is at work."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise ProbesheetsError(
            f"Another export is writing into {path}. Wait for it, or choose another folder with --out."
        ) from None
    except OSError as error:
        raise _not_writable(path, error) from None
    try:
        for left in path.glob(f"{_STAGING}*/"):  # of an export that was killed
            shutil.rmtree(left, ignore_errors=True)
        folder = Folder(path)
        try:
            yield folder
        finally:
            shutil.rmtree(folder.staging, ignore_errors=True)
    except OSError as error:
        raise _not_writable(path, error) from None
    finally:
        lock.release()


def sha256(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _as_json(manifest: dict[str, Any]) -> str:
    """A line for each file: to be read by people, and written ten times as fast as with an indent."""
    lists = {
        name: ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value)
        for name, value in manifest.items()
        if isinstance(value, list)
    }
    values = [
        f'"{name}": ' + (f"[\n{lists[name]}\n]" if name in lists else json.dumps(value, ensure_ascii=False))
        for name, value in manifest.items()
    ]
    return "{\n" + ",\n".join(values) + "\n}\n"


def outside(name: str) -> bool:
    """Whether a path in a manifest, which anybody may have written, leads out of the folder."""
    path = PureWindowsPath(name)  # takes both kinds of slashes, and drives
    return bool(path.anchor) or ".." in path.parts or not path.parts


def _folders(names: Iterable[str]) -> set[Path]:
    """The folders of files, by their relative paths with slashes."""
    return {Path(folder) for folder in {name.rpartition("/")[0] for name in names}}


def _read_manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if any(outside(entry["path"]) for entry in manifest["files"]):
            raise ValueError("a path leads out of the folder")
        return dict(manifest)
    except FileNotFoundError:
        if (file.parent / DELIVERED).is_file():
            raise ProbesheetsError(
                f"{file.parent} was written by an export, but its {MANIFEST} is missing. "
                "Bring it back, or choose another folder with --out."
            ) from None
        return {}
    except (ValueError, KeyError, TypeError):
        raise ProbesheetsError(
            f"{file} is not a manifest of probesheets. Move it, or choose another folder with --out."
        ) from None


def _not_writable(path: Path, error: OSError) -> ProbesheetsError:
    where = f" ({error.filename})" if error.filename and Path(str(error.filename)) != path else ""
    return ProbesheetsError(
        f"{path} cannot be written: {error.strerror or error}{where}.\n"
        "No file was left half-written. Make room, close the program that has a file open there, or get the right to "
        "write there; or choose another folder with --out."
    )
