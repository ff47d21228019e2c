"""Before `run --source --new` replaces the copy: would it lose most of what was delivered?"""

from pathlib import Path

from probesheets.errors import ProbesheetsError
from probesheets.folder.delivered import load
from probesheets.folder.manifest import DELIVERED, MANIFEST
from probesheets.source.append import shape_of_copy
from probesheets.source.copy import connect
from probesheets.source.keep import INCOMING
from probesheets.source.shapes import named_shape
from probesheets.sql import quoted

MOST_GONE = 0.5  # of the delivered records


def refuse_loss(database: Path, out: Path, source: str, shape: str) -> None:
    """Raises ProbesheetsError if over half of the records delivered to `out` are not in the incoming copy.

    A record is also missing if the id had other content in the previous copy: ids may have begun at 1 again.
    """
    table, texts = named_shape(shape).first, named_shape(shape).texts
    new_text, old_text = (f"concat({', '.join(f'{side}.{quoted(name)}' for name in texts)})" for side in ("new", "old"))
    with connect(database) as connection:
        copied = shape_of_copy(connection)
        old = f"main.{table}" if copied and copied.name == shape else f"(from main.{INCOMING}{table} limit 0)"
        try:
            records = load(out / DELIVERED)
        except (OSError, ValueError, KeyError):
            if not copied or not (out / MANIFEST).exists():
                return  # nothing to lose here
            raise ProbesheetsError(
                f"{out / DELIVERED} is missing or damaged, so what {source} lacks cannot be known. To restore it, run: "
                f"probesheets export --new --out {out}\nThen run the same command again."
            ) from None
        if copied and copied.name != shape and records.num_rows:
            raise ProbesheetsError(
                f"{out} has records of a source with the shape {copied.name}, but {source} has the shape {shape}. "
                "Nothing was replaced.\nChoose another folder with --out."
            )
        if not named_shape(shape).keeps_ids:
            return
        connection.register("records", records)
        [(count, gone)] = connection.execute(
            f"""
            with delivered as (
                select distinct try_cast(substr(record_id, 2) as bigint) as id from records  -- T12 or R12, not T12-L1
            )
            select
                count(*),
                count(*) filter (
                    new.id is null
                    or {new_text} <> {old_text} and old.id is not null
                )
            from delivered
            left join main.{INCOMING}{table} as new using (id)
            left join {old} as old using (id)
            where delivered.id is not null
            """
        ).fetchall()
        if gone > count * MOST_GONE:
            raise ProbesheetsError(
                f"{gone:,} of the {count:,} records delivered to {out} are not in {source}, or have other content "
                "there. Nothing was replaced.\n"
                f"If {source} has only new rows, add --append. If it replaces everything, choose another folder with "
                "--out."
            )
