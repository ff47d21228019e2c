"""manifest.json: the files of an output folder, and facts about the last export."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn, NotRequired, Required, TypedDict

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from probesheets.errors import ProbesheetsError, counted
from probesheets.folder.hashes import hash_of, is_link
from probesheets.pages.write import CONTENTS

MANIFEST, INDEX, DELIVERED, CHANGED = "manifest.json", "index.xlsx", "delivered.csv", "changed.csv"
OTHERS = INDEX, DELIVERED, CHANGED  # the files that are not workbooks of records, with the indexes of pages
OURS = ".probesheets"  # the names of our files that the manifest does not list begin with it
FORMAT, VERSION = "probesheets", 2  # version 1.0.0 wrote neither
_OPTIONAL = ("build", "builds", "drawn", "shard", "unwritten", "replaced")  # left out when they are empty
_WORKBOOK = ("group", "batch", "part", "columns", "records", "build")  # keys that OTHERS do not have
_RESTORE = "Restore the file that the export wrote, or choose another folder with --out."
_NAME = r"(?!\.\.?(/|\Z))[^/\\:\x00-\x1f]+"
FilePath = Annotated[str, Meta(pattern=rf"(?i)\A(?!\.probesheets|manifest\.json\Z)({_NAME}/){{0,2}}{_NAME}\Z")]
Count = Annotated[int, Meta(ge=0, lt=2**53)]


class Entry(Struct, kw_only=True, frozen=True):
    """A file that an export wrote. `group` names a workbook: for most kinds, it is a file_stem."""

    path: FilePath  # in the folder, with slashes
    kind: str
    probe: str | None = None
    group: str | None = None
    batch: Count = 1
    part: Count = 1
    columns: Annotated[list[str], Meta(min_length=1)] = field(default_factory=list)  # headers; OTHERS have none
    rows: Count
    records: Count = 0
    build: str | None = None  # a key of the manifest's `builds`
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Drawn(TypedDict):
    """A sample: `size` texts of every probe (and month), or in all; if it was dealt to coders, how."""

    size: Count
    per: str
    seed: str
    in_all: NotRequired[bool]
    coders: NotRequired[list[str]]
    overlap: NotRequired[str]
    blind: NotRequired[bool]
    codes: NotRequired[list[str]]


def is_other(path: Any) -> bool:
    """Whether a file is not a workbook or page of records."""
    return path in OTHERS or (isinstance(path, str) and path.endswith(f"/{CONTENTS}"))


def described(sample: Drawn) -> str:
    every = "probe and month" if sample["per"] == "month" else "probe"
    of = f"in all, at least 1 of every {every}" if sample.get("in_all") else f"of every {every}"
    dealt = f", dealt to {', '.join(sample['coders'])} ({sample['overlap']} to all)" if "coders" in sample else ""
    dealt += ", blind" if sample.get("blind") else ""
    return f"{counted(sample['size'], 'text')} {of}, seed {sample['seed']}{dealt}"


class Delivery(Struct, frozen=True):
    """A batch: when it was written, the sample (if it is one), and the number of records of each kind."""

    batch: Count
    created: str
    sample: Drawn | None
    records: dict[str, Count]


class Build(TypedDict, total=False):
    """The dbt command that built some models."""

    started: Required[str]
    invocation: str
    version: Any
    variables: Any
    source: Any


class Manifest(Struct, kw_only=True, frozen=True):
    """The files of a folder, and facts about the last export into it."""

    target: str = ""
    project_version: str = ""
    created: str = ""
    builds: dict[str, Build] = field(default_factory=dict)  # by invocation
    totals: dict[str, Any] = field(default_factory=dict)
    selected: dict[str, Count] = field(default_factory=dict)
    batches: list[Delivery] = field(default_factory=list)
    drawn: list[dict[str, Any]] | None = None
    shard: Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,8}/[1-9][0-9]{0,8}\Z")] | None = None
    files: list[Entry] = field(default_factory=list)
    unwritten: list[Any] = field(default_factory=list)  # paths that a stopped export may not have written
    replaced: list[Entry] = field(default_factory=list)  # the files that may be there instead
    full: bool = False
    complete: bool = True

    @property
    def samples(self) -> list[Drawn]:
        return [batch.sample for batch in self.batches if batch.sample]

    def old_stems(self) -> dict[str, str]:
        """The file_stems of version 1.0.0, which are eight digits shorter, with those of today."""
        return {entry.group[:-8]: entry.group for entry in self.files if entry.group and entry.group not in entry.path}


def read(folder: Path) -> Manifest | None:
    """The manifest of a folder, without unknown keys; None if there is no manifest.

    Raises ProbesheetsError if the manifest is damaged or was not written by probesheets.
    """
    file = folder / MANIFEST
    value = read_json(file, _RESTORE)
    if value is None:
        return None
    if not isinstance(value, dict) or not (value.get("format") == FORMAT or _is_version_1(value)):
        refuse(file)
    version = value.get("format_version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise ProbesheetsError(f"A newer version of probesheets wrote {file}. Install that version to continue.")
    try:
        manifest = _manifest(value) if "format" in value else _version_1(value)
    except ValueError as error:
        raise ProbesheetsError(f"{file} is damaged: {error}. {_RESTORE}") from None
    listed = [*manifest.files, *manifest.replaced]
    if "format" not in value and not any(hash_of(folder, entry.path) == entry.sha256 for entry in listed):
        refuse(file)
    return manifest


def write(file: Path, manifest: Manifest) -> None:
    """Write one line for each file: people can read it, and it is ten times as fast as an indent."""
    said = {"format": FORMAT, "format_version": VERSION, **msgspec.to_builtins(manifest)}
    for entry in [*said["files"], *said["replaced"]]:
        for key in () if entry["columns"] else _WORKBOOK:
            del entry[key]
    lines = [f'"{key}": {_lines(value)}' for key, value in said.items() if value or key not in _OPTIONAL]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _lines(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(_lines, value)) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def read_json(file: Path, remedy: str = "Move it, or choose another folder with --out.") -> Any:
    """The content of a JSON file in an output folder; None if there is no file."""
    if is_link(file) or (file.exists() and not file.is_file()):
        refuse(file)
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        json.dumps(value, ensure_ascii=False).encode()  # fails for half a surrogate pair
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ProbesheetsError(f"{file} cannot be read: {error}. {remedy}") from None
    return refuse(file) if value is None else value


def refuse(file: Path) -> NoReturn:
    """Raise a ProbesheetsError for a file that has one of our names but is not ours."""
    what = " (it is a link)" if is_link(file) else ""
    raise ProbesheetsError(
        f"{file} was not written by probesheets{what}. Move it, or choose another folder with --out."
    )


def _manifest(value: dict[str, Any]) -> Manifest:
    if value.get("format_version") != VERSION:
        raise ValueError(f"format_version must be {VERSION}")
    _require_keys(value, Manifest.__struct_fields__, "")
    for key in ("files", "replaced"):
        some = value.get(key, [])
        for number, entry in enumerate(some if isinstance(some, list) else []):
            without = _WORKBOOK if isinstance(entry, dict) and is_other(entry.get("path")) else ()
            _require_keys(entry, [name for name in Entry.__struct_fields__ if name not in without], f"{key}[{number}].")
    try:
        manifest = msgspec.convert(value, Manifest)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at `$.")
        raise ValueError(f"{where.rstrip('`')} is not valid ({said.partition(' matching')[0]})") from None
    paths = {entry.path for entry in manifest.files}
    if len(paths) < len(manifest.files):
        raise ValueError("files lists a path twice")
    return replace(manifest, unwritten=[path for path in manifest.unwritten if isinstance(path, str) and path in paths])


def _require_keys(value: Any, keys: Iterable[str], where: str) -> None:
    for key in keys:
        if isinstance(value, dict) and key not in value and key not in _OPTIONAL:
            raise ValueError(f"{where}{key} is missing")


def _is_version_1(value: dict[str, Any]) -> bool:
    """Whether it has the keys of version 1.0.0. If its first export was stopped, it had only two of them."""
    keys = {"files", "replaced"} if value.get("complete") is False else {*Manifest.__struct_fields__} - {*_OPTIONAL}
    return value.keys() >= keys and value.keys().isdisjoint(("format", "format_version"))


def _version_1(value: dict[str, Any]) -> Manifest:
    """A manifest of version 1.0.0, with the groups of today.

    Its stopped export may not have written its batch and the files that it replaced.
    """
    manifest = _manifest({**msgspec.to_builtins(Manifest()), **value, "format_version": VERSION})
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
