"""Before `run --source --new` replaces the copy: would it lose most of what was delivered?"""

from pathlib import Path

import duckdb

from probesheets.errors import ProbesheetsError
from probesheets.folder.delivered import load
from probesheets.folder.manifest import DELIVERED, MANIFEST
from probesheets.source.append import shape_of_copy
from probesheets.source.copy import connect
from probesheets.source.keep import INCOMING
from probesheets.source.shapes import Shape, named_shape
from probesheets.sql import quoted

MOST_GONE = 0.5  # of the delivered records


def refuse_loss(database: Path, out: Path, source: str, shape: str) -> None:
    """Raises ProbesheetsError if over half of the records delivered to `out` are not in the incoming copy.

    A record is also missing if the id had other content in the previous copy: ids may have begun at 1 again. If the
    Record IDs of the shape are not the ids of rows, all rows of the previous copy are compared.
    """
    ours = named_shape(shape)
    with connect(database) as connection:
        copied = shape_of_copy(connection)
        try:
            records = load(out / DELIVERED)
        except (OSError, ValueError, KeyError):
            if not copied or not (out / MANIFEST).exists():
                return  # nothing to lose here
            raise ProbesheetsError(
                f"{out / DELIVERED} is missing or damaged, so what {source} lacks cannot be known. To restore it, run: "
                f"probesheets export --new --out {out}\nThen run the same command again."
            ) from None
        if not records.num_rows:
            return
        if copied and copied.name != shape:
            raise ProbesheetsError(
                f"{out} has records of a source with the shape {copied.name}, but {source} has the shape {shape}. "
                "Nothing was replaced.\nChoose another folder with --out."
            )
        connection.register("records", records)
        old = f"main.{ours.first}" if copied else f"(from main.{INCOMING}{ours.first} limit 0)"
        count, gone = _compared(connection, ours, old)
    if gone > count * MOST_GONE:
        what = f"records delivered to {out}" if ours.keeps_ids else "rows of the copy"
        append = "" if ours.one_file else f"If {source} has only new rows, add --append. "
        raise ProbesheetsError(
            f"{gone:,} of the {count:,} {what} are not in {source}, or have other content there. Nothing was "
            f"replaced.\n{append}If it replaces everything, choose another folder with --out."
        )


def _compared(connection: duckdb.DuckDBPyConnection, shape: Shape, old: str) -> tuple[int, int]:
    """How many records, or rows of the relation `old`, there are, and how many of them the incoming copy lacks."""
    new_text, old_text = (
        f"concat({', '.join(f'{side}.{quoted(name)}' for name in shape.texts)})" for side in ("new", "old")
    )
    # T12 or R12, not T12-L1
    delivered = "select distinct try_cast(substr(record_id, 2) as bigint) as id from records"
    [(count, gone)] = connection.execute(
        f"""
        with known as ({delivered if shape.keeps_ids else f"select id from {old} as old"})
        select count(*), count(*) filter (new.id is null or {new_text} <> {old_text} and old.id is not null)
        from known
        left join main.{INCOMING}{shape.first} as new using (id)
        left join {old} as old using (id)
        where known.id is not null
        """
    ).fetchall()
    return count, gone
