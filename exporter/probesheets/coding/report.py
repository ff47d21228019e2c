"""What `probesheets codes` says: what coders have seen and coded, what does not count, and codes that look alike."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import combinations, islice

from probesheets.coding.seeds import CODEBOOK
from probesheets.errors import counted, shown
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse

_LISTED = 10
_ALIKE = 0.8  # of two names of codes, by difflib
_ADVICE = {
    "text differs": "A text differs if a coder edited it, or sorted one column of a workbook without the others. "
    "Correct the file, and read it again.",
    "unknown record": "An unknown record is not a text of this project, or its text is no longer in the source.",
    "unknown code": f"To count a code, add it to {CODEBOOK} and run: dbt build",
}


def report(
    project: Project, warehouse: Warehouse, files: set[tuple[str, str]], dealt: Mapping[str, int]
) -> Iterator[str]:
    """The lines about some (coder, file). `dealt` has the number of texts that were dealt to each coder."""
    query = f"select coder, file, place, record_id, status, '' from {project.relation('seen_texts')}"
    every = warehouse.rows(query)
    seen = [row for row in every if row[:2] in files]
    query = f"select coder, file, place, record_id, status, code from {project.relation('checked_codings')}"
    codings = warehouse.rows(f"{query} order by coding_id")
    here = [row for row in codings if row[:2] in files]
    for coder in sorted({coder for coder, _ in files}):
        texts, coded = ({row[3] for row in some if row[0] == coder and row[4] == "matched"} for some in (seen, here))
        count = sum(row[0] == coder and row[4] == "matched" for row in here)
        said = f"{coder}: {counted(len(texts), 'text')} seen, {len(texts - coded):,} of them without a code. "
        whole = len({row[3] for row in every if row[0] == coder and row[4] == "matched"})
        of = f" In all files, {coder} has seen {whole:,} texts; {dealt[coder]:,} were dealt." if coder in dealt else ""
        yield shown(f"{said}{counted(count, 'coding')}.{of}")
    places = {row[:3] for row in here}
    others = [row for row in here if row[4] != "matched"]
    others += [row for row in seen if row[4] != "matched" and row[:3] not in places]
    if others:
        yield f"Not counted: {counted(len(others), 'row')}. The tables codings and seen_texts list them all."
        for coder, file, place, record, status, code in others[:_LISTED]:
            yield shown(f"  {status}: {record}{f', code {code}' if code else ''} ({coder}, {file}, {place})")
        yield from ["  …"] if len(others) > _LISTED else []
        yield from (advice for status, advice in _ADVICE.items() if any(row[4] == status for row in others))
    names = Counter(row[5] for row in codings)
    yield from islice(_alike(names, {row[5] for row in here}), _LISTED)


def _alike(names: Counter[str], new: set[str]) -> Iterator[str]:
    for one, other in combinations(names, 2):
        plain = one.casefold(), other.casefold()
        numbered = len({re.sub("[0-9]", "", name) for name in plain}) == 1 and plain[0] != plain[1]
        if {one, other} & new and not numbered and SequenceMatcher(None, *plain).ratio() >= _ALIKE:
            yield shown(f"Two codes look alike: {one} ({names[one]:,}) and {other} ({names[other]:,}).")
