"""`probesheets codes`: read the files of coders into the seed codings, build the models, and say what counts."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import combinations
from pathlib import Path

from probesheets.coding.document import Document
from probesheets.coding.documents import read_documents
from probesheets.coding.seeds import CODEBOOK, CODINGS, COLUMNS, Row, read, united, write
from probesheets.errors import ProbesheetsError, counted, shown
from probesheets.export.codebook import fault_of_code
from probesheets.folder import delivered, manifest
from probesheets.progress import progress
from probesheets.project.build import build, check_dbt
from probesheets.project.models import Project, opened
from probesheets.settings import find_root
from probesheets.warehouse import Warehouse, sole_builder

_LISTED = 10
_ALIKE = 0.8  # of two names of codes, by difflib
_MODELS = ("codings+", "codebook+")


def bring_home(
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
    root, dealt = find_root(), Dealt(deal) if deal else None
    with opened(target) as (project, warehouse):
        project.require((), ["texts"])
        project.relation("agreement")
        variables = json.dumps(project.changed_variables, ensure_ascii=False)
        layouts = (kind.layout for kind in project.kinds.values() if kind.layout.long_text)
        sheets = [(layout.columns[0].header, layout.header(layout.long_text)) for layout in layouts]
        rows: list[Row] = []
        for file in files:
            documents = read_documents(file, sheets)
            _refuse_other_texts(file, documents, project, warehouse)
            rows += _rows(file, os.path.relpath(file.resolve(), root), documents, coder, dealt)
    check_dbt(target, variables)
    seeds = {root / CODINGS: COLUMNS, root / CODEBOOK: ["code", "description"]}
    before = {file: read(file, columns) for file, columns in seeds.items()}
    known = {row["code"] for row in before[root / CODEBOOK]}
    more = [{"code": code, "description": ""} for code in (dealt.codes if dealt else ()) if code not in known]
    codings = united(before[root / CODINGS], rows, replace=replace)
    after = dict(zip(seeds, (codings, before[root / CODEBOOK] + more), strict=True))
    with sole_builder(target):
        try:
            for file, columns in seeds.items():
                write(file, columns, after[file])
            with progress(quiet=quiet) as track:
                say(build(target, variables, {}, quiet=quiet, verbose=False, track=track, select=_MODELS))
        except BaseException:
            for file, columns in seeds.items():
                write(file, columns, before[file])
            raise
    with opened(target) as (project, warehouse):
        project.require((), ["agreement"])
        say("\n".join(_said(project, warehouse, {(row["coder"], row["file"]) for row in rows})))


class Dealt:
    """What a folder was dealt: the batch of each (coder, record), and the codes."""

    def __init__(self, folder: Path) -> None:
        found = manifest.read(folder)
        samples = found.samples if found else []
        self.coders = list(dict.fromkeys(coder for sample in samples for coder in sample.get("coders", ())))
        if not self.coders:
            raise ProbesheetsError(f"{folder} was not dealt. Give --deal the folder that export --coders wrote.")
        self.codes = list(dict.fromkeys(code for sample in samples for code in sample.get("codes", ())))
        records = delivered.load(folder / manifest.DELIVERED)
        columns = (records[name].to_pylist() for name in ("kind", "batch", "record_id"))
        self.rounds = {(kind.partition("/")[0], record): batch for kind, batch, record in zip(*columns, strict=True)}


def _rows(file: Path, name: str, documents: Sequence[Document], coder: str | None, dealt: Dealt | None) -> list[Row]:
    """The rows of a file: one for each text that a coder has seen, and one for each coding."""
    owners = list(dict.fromkeys(owner for document in documents for owner, *_ in document.codings))
    unnamed = [owner for owner in owners if not owner or owner.casefold() == "default"]
    if coder and len(owners) > 1:
        raise ProbesheetsError(f"{file} has codings of {', '.join(map(str, owners))}. Remove --coder.")
    if not coder and (unnamed or not owners):
        raise ProbesheetsError(f"{file} does not say who has coded it. Add --coder NAME.")
    rows: list[Row] = []
    for one in [coder] if coder else owners:
        if dealt and one not in dealt.coders:
            raise ProbesheetsError(f"{file}: no texts were dealt to {one}. The coders are {', '.join(dealt.coders)}.")
        found = [row for document in documents for row in _rows_of(document, str(one), bool(coder), name, dealt)]
        if not found:
            raise ProbesheetsError(f"{file} has no text that {one} has seen.")
        rows += found
    if wrong := next((row for row in rows if any(row[key].casefold() == "null" for key in ("coder", "code"))), None):
        raise ProbesheetsError(f"{file}, {wrong['place']}: a code or a coder {fault_of_code('null')}.")
    return rows


def _rows_of(document: Document, coder: str, alone: bool, name: str, dealt: Dealt | None) -> Iterator[Row]:
    codings = list(dict.fromkeys(coding[1:] for coding in document.codings if alone or coding[0] == coder))
    batch = dealt.rounds.get((coder, document.record.partition("-")[0])) if dealt else 1
    if codings or batch:
        same = {"coder": coder, "file": name, "place": document.place, "record": document.record}
        same["round"] = str(batch or 1)
        text = document.text.encode(errors="surrogatepass")
        seen = {"text_sha256": sha256(text).hexdigest(), "text_length": str(len(document.text))}
        yield {**same, **seen, "code": "", "start_position": "0", "end_position": "0"}
        for code, start, end in codings:
            place = {"start_position": str(start), "end_position": str(end)}
            yield {**same, "text_sha256": "", "text_length": "0", "code": code, **place}


def _refuse_other_texts(file: Path, documents: Sequence[Document], project: Project, warehouse: Warehouse) -> None:
    records = {document.record.partition("-")[0] for document in documents}
    numbers = [record[1:] for record in records if record[:1] == "T" and record[1:].isdecimal() and len(record) < 19]
    listed = ", ".join(number for number in numbers if number.isascii())
    texts = project.relation("texts")
    if not (listed and warehouse.rows(f"select count(*) from {texts} where text_id in ({listed})")[0][0]):
        raise ProbesheetsError(
            f"{file} has no text of this project: none of its {counted(len(documents), 'text')} has one of its "
            "Record IDs, such as T116."
        )


def _said(project: Project, warehouse: Warehouse, files: set[tuple[str, str]]) -> Iterator[str]:
    """What was read from the files of coders, what of it does not count, and codes that look alike."""
    seen = warehouse.rows(f"select coder, file, place, record_id, status from {project.relation('seen_texts')}")
    query = f"select coder, file, place, record_id, status, code from {project.relation('checked_codings')}"
    codings = warehouse.rows(f"{query} order by coding_id")
    coded = {row[:3] for row in codings}
    seen, here = [row for row in seen if row[:2] in files], [row for row in codings if row[:2] in files]
    for coder in sorted({coder for coder, _ in files}):
        texts, with_code = (
            {row[3] for row in some if row[0] == coder and row[4] == "matched"} for some in (seen, here)
        )
        counts = counted(len(texts), "text"), counted(sum(row[0] == coder for row in here), "coding")
        yield shown(f"{coder}: {counts[0]} seen, {len(texts - with_code):,} of them without a code. {counts[1]}.")
    others = [row for row in here if row[4] != "matched"]
    others += [(*row, "") for row in seen if row[4] != "matched" and row[:3] not in coded]
    if others:
        yield f"{counted(len(others), 'row')} of these files do not count; the tables codings and seen_texts list them:"
        yield from (
            shown(f"  {status}: {record}{f', code {code}' if code else ''} ({coder}, {file}, {place})")
            for coder, file, place, record, status, code in others[:_LISTED]
        )
        yield from ["  …"] if len(others) > _LISTED else []
        yield from (advice for status, advice in _ADVICE.items() if any(row[4] == status for row in others))
    names = Counter(row[5] for row in codings)
    for one, other in combinations(names, 2):
        if SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= _ALIKE:
            yield shown(f"Two codes look alike: {one} ({names[one]:,}) and {other} ({names[other]:,}).")


_ADVICE = {
    "text differs": "A text differs if a coder edited it, or sorted the Record IDs of a workbook without their texts.",
    "unknown record": "An unknown record is not a text of this project, or its text is no longer in the source.",
    "unknown code": f"To count a code, add it to {CODEBOOK} and run: dbt build",
}
