"""manifest.json, what a folder says of itself: read, checked and written here alone."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import UnionType
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from probesheets.errors import ProbesheetsError

MANIFEST, INDEX, DELIVERED, CHANGED = "manifest.json", "index.xlsx", "delivered.csv", "changed.csv"
OTHERS = INDEX, DELIVERED, CHANGED  # beside the workbooks of records
OURS = ".probesheets"  # begins the names of what is ours, but not listed
FORMAT, VERSION = "probesheets", 2  # version 1.0.0 named neither
_OPTIONAL = ("build", "builds", "drawn", "unwritten", "replaced")  # keys that are left out where they say nothing
_BOOK = ("group", "batch", "part", "columns", "records", "build")  # keys that OTHERS do not have
_NAME = r"(?!\.\.?(/|\Z))[^/\\:\x00-\x1f]+"
_PATH = re.compile(rf"(?!\.probesheets|manifest\.json\Z)({_NAME}/)?{_NAME}", re.IGNORECASE)
_INSTEAD = "Bring back the one that the export wrote, or choose another folder with --out."
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file that an export wrote."""

    path: str  # in the folder, with slashes
    kind: str
    probe: str | None = None
    group: str | None = None  # the value that names a workbook: a file_stem for most kinds
    batch: int = 1
    part: int = 1
    columns: list[str] = field(default_factory=list)  # its headers; OTHERS have none
    rows: int
    records: int = 0
    build: str | None = None  # a key of the manifest's `builds`
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if self.columns or key not in _BOOK}


@dataclass(frozen=True)
class Delivery:
    """A batch: when it was written, the sample that it is, and how many records of each kind it has."""

    batch: int
    created: str
    sample: dict[str, Any] | None
    records: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The files of a folder, and what the last export into it said of itself."""

    target: str = ""
    project_version: str = ""
    created: str = ""
    builds: dict[str, Any] = field(default_factory=dict)  # of the models: what `Builds.build_of` says, by invocation
    totals: dict[str, Any] = field(default_factory=dict)
    selected: dict[str, int] = field(default_factory=dict)
    batches: list[Delivery] = field(default_factory=list)
    drawn: list[dict[str, Any]] | None = None
    files: list[Entry] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)  # paths that a stopped export may not have written
    replaced: list[Entry] = field(default_factory=list)  # what may be there instead
    full: bool = False
    complete: bool = True

    def old_stems(self) -> dict[str, str]:
        """The file_stems that version 1.0.0 gave, which are eight digits shorter, and those of today."""
        return {entry.group[:-8]: entry.group for entry in self.files if entry.group and entry.group not in entry.path}


def read(folder: Path) -> Manifest | None:
    """What a folder says of itself, without the keys that are not known here; None if it has no manifest.

    Raises ProbesheetsError if the manifest is damaged, or of somebody else.
    """
    file = folder / MANIFEST
    value = read_json(file, _INSTEAD)
    if value is None:
        return None
    if not isinstance(value, dict) or not (value.get("format") == FORMAT or _is_version_1(value)):
        refuse(file)
    version = value.get("format_version")
    if isinstance(version, int) and version > VERSION:
        raise ProbesheetsError(f"{file} was written by a newer version of probesheets: install it to go on there.")
    try:
        manifest = _manifest(value) if "format" in value else _version_1(value)
    except ValueError as error:
        raise ProbesheetsError(f"{file} is damaged: {error}. {_INSTEAD}") from None
    listed = [*manifest.files, *manifest.replaced]
    if "format" not in value and not any(digest(folder, entry.path) == entry.sha256 for entry in listed):
        refuse(file)
    return manifest


def write(file: Path, manifest: Manifest) -> None:
    """A line for each file: to be read by people, and written ten times as fast as with an indent."""
    said = {"format": FORMAT, "format_version": VERSION, **vars(manifest)}
    said |= {"batches": [*map(vars, manifest.batches)]}
    said |= {key: [entry.as_json() for entry in said[key]] for key in ("files", "replaced")}
    lines = [f'"{key}": {_lines(value)}' for key, value in said.items() if value or key not in _OPTIONAL]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _lines(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(_lines, value)) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def read_json(file: Path, remedy: str = "Move it, or choose another folder with --out.") -> Any:
    """What a JSON file in an output folder holds; None if there is none."""
    if is_link(file) or (file.exists() and not file.is_file()):
        refuse(file)
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        json.dumps(value, ensure_ascii=False).encode()  # fails for half a character
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ProbesheetsError(f"{file} cannot be read: {error}. {remedy}") from None
    return refuse(file) if value is None else value


def refuse(file: Path) -> NoReturn:
    """Raise a ProbesheetsError for somebody else's file that has a name of ours."""
    what = " (it is a link)" if is_link(file) else ""
    raise ProbesheetsError(
        f"{file} was not written by probesheets{what}. Move it, or choose another folder with --out."
    )


# --- files


def sha256(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(folder: Path, path: str) -> str | None:
    """The SHA-256 of a file in a folder; None if there is none, or a link leads to it."""
    return sha256(folder / path) if (folder / path).is_file() and not linked(folder, path) else None


def linked(folder: Path, path: str) -> bool:
    """Whether a path inside a folder is a link, or leads through one. The folder itself may be one."""
    return is_link(folder / path) or ("/" in path and is_link(folder / path.rpartition("/")[0]))


def is_link(path: Path) -> bool:
    try:
        path.readlink()  # of the junctions of Windows, too
    except (OSError, ValueError):
        return False
    return True


# --- what the keys hold


def _manifest(value: dict[str, Any]) -> Manifest:
    if value.get("format_version") != VERSION:
        raise ValueError(f"format_version must be {VERSION}")
    said = _made(Manifest, value, "")
    files, batches = _all_made(Entry, said.files, "files"), _all_made(Delivery, said.batches, "batches")
    paths = {entry.path for entry in files}
    if len(paths) < len(files):
        raise ValueError("files has a path twice")
    unwritten = [path for path in said.unwritten if isinstance(path, str) and path in paths]
    replaced = _all_made(Entry, said.replaced, "replaced")
    return replace(said, batches=batches, files=files, unwritten=unwritten, replaced=replaced)


def _is_version_1(value: dict[str, Any]) -> bool:
    """Whether it has the keys of version 1.0.0; where its first export was stopped, there were no others."""
    keys = {"files", "replaced"} if value.get("complete") is False else _TYPES[Manifest].keys() - {*_OPTIONAL}
    return value.keys() >= keys and value.keys().isdisjoint(("format", "format_version"))


def _version_1(value: dict[str, Any]) -> Manifest:
    """A manifest of version 1.0.0, with the groups of today.

    What a stopped export had to write is its batch, and what it replaced.
    """
    manifest = _manifest({**vars(Manifest()), **value, "format_version": VERSION})
    last = 0 if manifest.complete else max((entry.batch for entry in manifest.files), default=1)
    before = {entry.path for entry in manifest.replaced}
    paths = [entry.path for entry in manifest.files if entry.batch == last or entry.path in before]
    files, replaced = map(_renamed, manifest.files), map(_renamed, manifest.replaced)
    return replace(manifest, files=[*files], replaced=[*replaced], unwritten=paths)


def _renamed(entry: Entry) -> Entry:
    """A workbook whose file_stem has eight digits of the probe's SHA-256, in the group of the stem with 16."""
    digits = hashlib.sha256((entry.probe or "").encode()).hexdigest()[:16]
    known = entry.probe is not None and entry.group is not None and entry.group.endswith(f"-{digits[:8]}")
    return replace(entry, group=f"{entry.group}{digits[8:]}") if known else entry


def _all_made(cls: type[_T], values: list[Any], key: str) -> list[_T]:
    return [_made(cls, value, f"{key}[{number}].") for number, value in enumerate(values)]


def _made(cls: type[_T], value: Any, where: str) -> _T:
    """An object of a class from JSON. Raises ValueError for the first key that is missing or wrong."""
    if not isinstance(value, dict):
        raise ValueError(f"{where.rstrip('.')} must be an object")
    without = _BOOK if cls is Entry and value.get("path") in OTHERS else ()
    types = {key: types for key, types in _TYPES[cls].items() if key not in without}
    for key in types.keys() - value.keys() - {*_OPTIONAL}:
        raise ValueError(f"{where}{key} is missing")
    found = {key: value[key] for key in types if key in value}
    for key, one in found.items():
        fits = type(one) in types[key] and (type(one) is not int or 0 <= one < 2**53)
        if not fits or (key in _MUST and not _MUST[key](one)):
            raise ValueError(f"{where}{key} cannot be {_short(one)}")
    return cls(**found)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"


_TYPES: dict[type, dict[str, tuple[type, ...]]] = {
    cls: {
        key: tuple(get_origin(one) or one for one in (get_args(hint) if isinstance(hint, UnionType) else [hint]))
        for key, hint in get_type_hints(cls).items()
    }
    for cls in (Entry, Delivery, Manifest)
}
_MUST: dict[str, Callable[[Any], object]] = {
    "path": _PATH.fullmatch,
    "sha256": re.compile("[0-9a-f]{64}").fullmatch,
    "builds": lambda builds: all(
        isinstance(one, dict) and isinstance(one.get("started"), str) for one in builds.values()
    ),
    "columns": lambda headers: headers and all(isinstance(header, str) for header in headers),
    "sample": lambda sample: not sample or [*map(type, map(sample.get, ("size", "per", "seed")))] == [int, str, str],
}
