"""`probesheets codes`: read the files of coders into the seed codings, build the models, and say what counts."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from probesheets.coding.documents import read_documents
from probesheets.coding.report import report
from probesheets.coding.seeds import CODEBOOK, CODINGS, COLUMNS, Row, read, record_of, united, write
from probesheets.errors import ProbesheetsError, counted
from probesheets.export.codebook import REFUSED
from probesheets.folder import delivered, manifest
from probesheets.progress import progress
from probesheets.project.build import build, check_dbt
from probesheets.project.kinds import CODE
from probesheets.project.models import Project, opened
from probesheets.refi_qda.read import Source
from probesheets.settings import find_root
from probesheets.warehouse import DuckDB, Warehouse, sole_builder

_MODELS = ("codings+", "codebook+")


def read_codings(
    target: str,
    files: Sequence[Path],
    coder: str | None,
    deal: Path | None,
    *,
    replace: bool,
    quiet: bool,
    say: Callable[[str], None],
) -> None:
    """Raises ProbesheetsError, and changes no seed, if a file cannot be read or the models cannot be built."""
    root, dealt, read_now = find_root(), Dealt(deal) if deal else None, set[tuple[str, str]]()
    with opened(target) as (project, warehouse):
        project.require((), ["texts"])
        project.relation("agreement")
        variables = json.dumps(project.changed_variables, ensure_ascii=False)
        new = [_read(file, project, warehouse, root, coder, dealt, say) for file in _files(files)]
    check_dbt(target, variables)
    with _changed_seeds(root), sole_builder(target):
        codings, codebook = read(root / CODINGS, COLUMNS), read(root / CODEBOOK, ["code", "description"])
        for rows in new:
            codings = united(codings, rows, replace=replace)
            read_now |= {(row["coder"], row["file"]) for row in rows}
        write(root / CODINGS, COLUMNS, codings)
        known = {row["code"] for row in codebook}
        codes = dict.fromkeys(code for some in (dealt.codes.values() if dealt else ()) for code in some)
        if more := [{"code": code, "description": ""} for code in codes if code not in known]:
            write(root / CODEBOOK, ["code", "description"], codebook + more)
        with progress(quiet=quiet) as track:
            say(build(target, variables, {}, quiet=quiet, verbose=False, track=track, select=_MODELS))
    with opened(target) as (project, warehouse):
        project.require((), ["agreement"])
        say("\n".join(report(project, warehouse, read_now, dealt.counts if dealt else {})))
    if not dealt:
        say("Without --deal, all texts of a project count as seen, and all texts belong to round 1.")


def _files(given: Sequence[Path]) -> Iterator[Path]:
    """The files of patterns and folders, without those that Excel keeps beside an open workbook."""
    for path in given:
        found = [path]
        if path.is_dir() and path.suffix != ".qda":
            found = sorted(path.glob("*.xlsx"))
        elif "*" in path.name and not path.exists():
            found = sorted(path.parent.glob(path.name))
        if not found:
            raise ProbesheetsError(f"{path} has no workbooks. Give files, such as from_ana/*.xlsx or NAME.qda.")
        yield from (file for file in found if not file.name.startswith("~$"))


@contextmanager
def _changed_seeds(root: Path) -> Iterator[None]:
    """Keeps other commands from changing the seeds, and puts them back as they were if an error ends this one."""
    files = [root / CODINGS, root / CODEBOOK]
    (root / "target").mkdir(exist_ok=True)
    with DuckDB.lock(root / "target" / "codings"):
        before = {file: file.read_bytes() for file in files if file.is_file()}
        try:
            yield
        except BaseException:
            for file, content in before.items():
                file.write_bytes(content)
            raise


class Dealt:
    """What a folder was dealt: the batch of each (coder, record), and the codes of each batch."""

    def __init__(self, folder: Path) -> None:
        found = manifest.read(folder)
        samples = {batch.batch: batch.sample for batch in found.batches if batch.sample} if found else {}
        self.coders = list(dict.fromkeys(coder for sample in samples.values() for coder in sample.get("coders", ())))
        self.codes = {batch: sample.get("codes", []) for batch, sample in samples.items()}
        if not self.coders:
            lacks = "was not dealt" if found else f"has no {manifest.MANIFEST}"
            raise ProbesheetsError(f"{folder} {lacks}. Give --deal the folder that export --coders wrote.")
        try:
            records = delivered.load(folder / manifest.DELIVERED)
        except (OSError, ValueError, KeyError) as error:
            raise ProbesheetsError(f"{folder / manifest.DELIVERED} cannot be read: {error}. Restore it.") from None
        columns = (records[name].to_pylist() for name in ("kind", "batch", "record_id"))
        rows = zip(*columns, strict=True)
        self.rounds = {(kind.partition("/")[0], name): batch for kind, batch, name in rows if name == record_of(name)}
        self.counts = Counter(coder for coder, _ in self.rounds)


def _read(
    file: Path,
    project: Project,
    warehouse: Warehouse,
    root: Path,
    coder: str | None,
    dealt: Dealt | None,
    say: Callable[[str], None],
) -> list[Row]:
    """The rows of a file: one for each text that a coder has seen, and one for each coding."""
    layouts = (kind.layout for kind in project.kinds.values() if kind.layout.long_text)
    sheets = [(layout.columns[0].header, layout.header(layout.long_text)) for layout in layouts]
    documents = read_documents(file, sheets)
    _refuse_other_texts(file, documents, project, warehouse)
    rows: list[Row] = []
    for owner, name in _coders(file, documents, coder).items():
        if dealt and name not in dealt.coders:
            raise ProbesheetsError(f"{file}: no texts were dealt to {name}. The coders are {', '.join(dealt.coders)}.")
        if name != owner and owner and owner.casefold() != "default":
            say(f"{file}: the codings of {owner} count as codings of {name}.")
        coded = {record_of(one.name) for one in documents if any(coding[0] == owner for coding in one.codings)}
        found, same = list[Row](), {"coder": name, "file": os.path.relpath(file.resolve(), root)}
        others = set[str]()
        for one in documents:
            batch = dealt.rounds.get((name, record_of(one.name))) if dealt else 1
            if dealt and file.suffix == ".xlsx":
                _refuse_missing_columns(file, one, dealt.codes.get(batch or 0, ()))
            if batch or record_of(one.name) in coded or file.suffix == ".xlsx":
                found += _rows(one, owner, same, batch or 1)
                others |= set() if batch else {record_of(one.name)}
        if others:
            say(f"{file}: {counted(len(others), 'text')} of this file were not dealt to {name}. Is the coder right?")
        if not found:
            raise ProbesheetsError(f"{file} has no text that {name} has seen.")
        rows += found
    return rows


def _refuse_missing_columns(file: Path, document: Source, codes: Sequence[str]) -> None:
    missing = [CODE + code for code in codes if code not in document.values]
    if missing and [*document.values] != [""]:  # not if all codes are in one column
        raise ProbesheetsError(
            f"{file} has no column {', '.join(missing)}, which was dealt. Its texts would count as without the code. "
            "Restore the header. Then run the same command again."
        )


def _rows(document: Source, owner: str | None, same: Row, batch: int) -> Iterator[Row]:
    digest = sha256(document.text.encode(errors="surrogatepass")).hexdigest()
    same = {**same, "place": document.place, "record": document.name, "round": str(batch)}
    seen = {"text_sha256": digest, "text_length": str(len(document.text))}
    yield {**same, **seen, "code": "", "start_position": "0", "end_position": "0"}
    for code, start, end in dict.fromkeys(coding[1:] for coding in document.codings if coding[0] == owner):
        if not code or code.casefold() in REFUSED:
            raise ProbesheetsError(f"{same['file']}, {same['place']}: a code cannot have the name {code!r}. Rename it.")
        place = {"start_position": str(start), "end_position": str(end)}
        yield {**same, "text_sha256": "", "text_length": "0", "code": code, **place}


def _coders(file: Path, documents: Sequence[Source], coder: str | None) -> dict[str | None, str]:
    """The coders, by the names that the file has for them: None in a workbook, `default` in QualCoder."""
    owners = list(dict.fromkeys(coding[0] for document in documents for coding in document.codings)) or [None]
    unnamed = [owner for owner in owners if not owner or owner.casefold() in ("default", "null")]
    names = ", ".join(owner or "a coder without a name" for owner in owners)
    if len(owners) > 1 and (coder or unnamed):
        todo = "Rename the coder in QualCoder" if unnamed else "Remove --coder"
        raise ProbesheetsError(f"{file} has codings of {names}. {todo}. Then run the same command again.")
    if not coder and unnamed:
        names_nobody = owners[0] is None and file.suffix != ".xlsx"
        why = "has no codings, and so no coder" if names_nobody else "does not say who has coded it"
        raise ProbesheetsError(f"{file} {why}. Add --coder NAME.")
    return {owner: coder or str(owner) for owner in owners}


def _refuse_other_texts(file: Path, documents: Sequence[Source], project: Project, warehouse: Warehouse) -> None:
    records = {record_of(document.name) for document in documents}
    numbers = [record[1:] for record in records if record[:1] == "T" and record[1:].isdecimal() and len(record) < 19]
    listed = ", ".join(number for number in numbers if number.isascii())
    texts = project.relation("texts")
    if not (listed and warehouse.rows(f"select count(*) from {texts} where text_id in ({listed})")[0][0]):
        number = counted(len(documents), "text")
        raise ProbesheetsError(f"{file} has {number}, but none with a Record ID of this project, such as T116.")
