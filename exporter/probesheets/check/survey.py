"""What a source holds, counted before anything is built: light queries, and the rules that need no model."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from probesheets.warehouse import Warehouse

_DAY = re.compile(
    r"([1-9][0-9]{3})([-/])([0-9]{1,2})\2([0-9]{1,2})(?:[ T]|$)|([1-9][0-9]{3})([0-9]{2})([0-9]{2})(?:[ T]|$)"
)
_SPACES = re.compile("[ \t\n\r\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")
_ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&#39;": "'",
    "&#x27;": "'",
    "&apos;": "'",
    "&nbsp;": " ",
    "&amp;": "&",
}
EXAMPLES = 3


@dataclass
class Survey:
    """Counts of rows, and examples of what deserves a look."""

    tags: dict[str | None, int]
    texts: int = 0
    blank: int = 0
    without_date: int = 0
    dates: int = 0
    odd_dates: Counter[str] = field(default_factory=Counter)  # not understood, and how often
    beginnings: Counter[str] = field(default_factory=Counter)  # exact, flat, none
    probes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # folded: as stored

    @property
    def probe_count(self) -> int:
        """How many the models will tell apart, about."""
        return len({flat(form) for forms in self.probes.values() for form in forms})

    def alike(self) -> tuple[list[list[str]], list[list[str]]]:
        """Groups of probes that only white space tells apart, and groups that only case (and white space) does."""
        groups = [list(forms) for forms in self.probes.values() if len(forms) > 1]
        spaces = [forms for forms in groups if len(set(map(flat, forms))) == 1]
        return spaces, [forms for forms in groups if forms not in spaces]


def survey(warehouse: Warehouse, relation: str, text_tag: str, date_tag: str) -> Survey:
    """Count the rows of a table_output."""
    tag = _exact(warehouse, "tag")
    found = Survey(
        {row[0]: int(row[1]) for row in warehouse.rows(f"select {tag}, count(*) from {relation} group by 1")}
    )
    is_text, is_date = f"{tag} = {_literal(warehouse, text_tag)}", f"{tag} = {_literal(warehouse, date_tag)}"
    grouped = (
        f"select root_id, experiment_id, sum(case when {is_text} then 1 else 0 end) as texts, "
        f"sum(case when {is_date} then 1 else 0 end) as dates from {relation} "
        f"where {is_text} or {is_date} group by root_id, experiment_id"
    )
    found.without_date = int(warehouse.rows(f"select sum(texts) from ({grouped}) as roots where dates = 0")[0][0] or 0)
    for batch in warehouse.batches(f"select content from {relation} where {is_date}"):
        for content in batch.column(0).to_pylist():
            found.dates += 1
            if content and not is_day(content):
                found.odd_dates[content] += 1
    for batch in warehouse.batches(f"select probe, content from {relation} where {is_text}"):
        for probe, content in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            _count_text(found, probe or "", content or "")
    return found


def _count_text(found: Survey, probe: str, content: str) -> None:
    found.texts += 1
    found.probes[flat(probe).casefold()][probe] += 1
    content, probe = _tidy(content), _tidy(probe)
    if not content.strip():
        found.blank += 1
    elif not probe.strip():
        found.beginnings["no probe"] += 1
    elif content.startswith(probe):
        found.beginnings["exact"] += 1
    else:
        found.beginnings["flat" if flat(content).startswith(flat(probe)) else "none"] += 1


def _tidy(text: str) -> str:
    """What most often stands between a text as stored and as the models clean it."""
    if "&" in text:
        for entity, meant in _ENTITIES.items():
            text = text.replace(entity, meant)
    return _INVISIBLE.sub("", text)


def flat(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" ")


def is_day(content: str) -> bool:
    """Whether a stored date will be understood: the models' rule, but for rare characters."""
    match = _DAY.match(flat(_tidy(content)))
    if not match:
        return False
    year, month, day = (int(match[place] or match[other]) for place, other in ((1, 5), (3, 6), (4, 7)))
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def server_version(warehouse: Warehouse) -> str:
    return str(warehouse.rows("select version()")[0][0])


def _exact(warehouse: Warehouse, column: str) -> str:
    """A column that is compared character by character, as in the models."""
    if warehouse.quote == '"':
        return column
    collation = "utf8mb4_nopad_bin" if "mariadb" in server_version(warehouse).lower() else "utf8mb4_0900_bin"
    return f"convert({column} using utf8mb4) collate {collation}"


def _literal(warehouse: Warehouse, text: Any) -> str:
    escaped = str(text).replace("'", "''")
    return "'" + (escaped if warehouse.quote == '"' else escaped.replace("\\", "\\\\")) + "'"
