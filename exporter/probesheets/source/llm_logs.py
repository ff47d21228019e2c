"""Read the log of the command line llm, a SQLite file: the responses of older and of newer versions."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from probesheets.errors import ProbesheetsError, shown
from probesheets.source.batches import registered, text_batch
from probesheets.source.files import Rows

_NAMES = ["id", "prompt", "response", "model", "datetime_utc", "conversation", "system"]
_OLDER = "select id, prompt, response, model, datetime_utc, conversation_id, system from responses order by 5, 1"
_NEWER = (  # since version 0.32; a version that is newer adds to these tables and no longer to responses
    "select turns.id, turn_search.prompt, turn_search.response, turns.model, turns.datetime_utc, turns.thread_id, null "
    "from turns left join turn_search on turn_search.turn_id = turns.id order by 5, 1"
)
_ROWS = 500  # read together


@contextmanager
def open_llm_logs(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], _: Sequence[str]) -> Iterator[Rows]:
    """The responses of logs.db, those of older versions first, each by date and id."""
    with registered(connection, _batches(files)):
        yield Rows("incoming", _NAMES, frozenset(), "llm_logs", "because it is a log of llm")


def _batches(files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    yield text_batch(_NAMES, [])
    for file in files:
        yield from _responses(file)


def _responses(file: Path) -> Iterator[pa.RecordBatch]:
    try:
        place = f"{file.absolute().as_uri()}?mode=ro"
        # DuckDB reads the rows in threads of its own, one after the other
        with closing(sqlite3.connect(place, uri=True, check_same_thread=False)) as database:
            database.text_factory = lambda text: text.decode("utf-8", "replace")
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            queries = {"responses": _OLDER, "turns": _NEWER}
            if not queries.keys() & {*tables}:
                raise ProbesheetsError(
                    f"{file} is a SQLite database, but not a log of llm: it has no table responses or turns.\n"
                    f"Its tables: {', '.join(map(shown, tables[:30])) or 'none'}. To read one, export it as CSV."
                )
            for table, query in queries.items():
                cursor = database.execute(query) if table in tables else None
                while rows := cursor.fetchmany(_ROWS) if cursor else []:
                    yield text_batch(_NAMES, [[cell if cell is None else str(cell) for cell in row] for row in rows])
    except sqlite3.Error as error:
        raise ProbesheetsError(f"{file} cannot be read as a log of llm: {error}.") from None
