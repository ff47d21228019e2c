"""`probesheets agreement`: the rows of the model agreement, as a table for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from probesheets.errors import ProbesheetsError, shown
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse, select

COLUMNS = ["code", "coders", "units", "percent", "kappa", "alpha", "alpha_low", "alpha_high", "ac1"]
_FURTHER = ["coders_without_code", "first_round", "reason"]


def read_agreement(project: Project, warehouse: Warehouse, only: int | None) -> list[dict[str, Any]]:
    """The rows of a round, or of all rounds (None). Raises ProbesheetsError if there are none."""
    project.require((), ["agreement"])
    relation, names = project.relation("agreement"), [*COLUMNS, *_FURTHER]
    rounds = sorted(int(row[0]) for row in warehouse.rows(f"select distinct round from {relation}"))
    if not rounds:
        raise ProbesheetsError("There are no codings that count. To read some, run: probesheets codes FILE")
    valid = rounds[1:] or [1]  # a single round is all rounds
    if only and only not in valid:
        raise ProbesheetsError(f"There is no round {only}. Valid: {', '.join(map(str, valid))}.")
    scope = only if only in rounds else 0
    rows = warehouse.rows(select(warehouse, relation, names, where=f"round = {scope}", order_by=["code"]))
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else shown(str(value))


def agreement_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The measures of each code, then what is undefined, which codes some coders never used, and which are new."""
    import pandas as pd

    frame = pd.DataFrame([[_cell(row[name]) for name in COLUMNS] for row in rows], columns=COLUMNS)
    table = frame.to_string(index=False, justify="right")
    unused = [f"{row['code']} ({row['coders_without_code']})" for row in rows if row["coders_without_code"]]
    new = [row["code"] for row in rows if (row["first_round"] or 1) > 1]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["reason"]:
            reasons.setdefault(row["reason"], []).append(row["code"])
    lines = [
        *(f"{', '.join(codes)}: {reason}" for reason, codes in reasons.items()),
        *([f"Some coders never used these codes: {', '.join(unused)}."] if unused else []),
        *([f"These codes are new since round 1: {', '.join(new)}."] if new else []),
    ]
    return "\n".join([table, *map(shown, lines)])
