"""Read Parquet files with DuckDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

import probesheets.pyarrow_setup  # noqa: F401
from probesheets.errors import ProbesheetsError
from probesheets.source.files import Rows, as_texts, file_list, reading
from probesheets.source.limits import check_names, check_size
from probesheets.warehouse.base import CHUNK_ROWS


@contextmanager
def open_parquet(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], _: Sequence[str]) -> Iterator[Rows]:
    """The rows of Parquet files; a column that only some of them have is null in the others."""
    for file in files:
        _check(file)
    read = f"read_parquet({file_list(files)}, union_by_name = true, binary_as_string = true)"
    with reading(lambda said: ProbesheetsError(f"{files[0]} cannot be read as Parquet: {said.splitlines()[0]}")):
        yield as_texts(connection, read)


def _check(file: Path) -> None:
    """Raises ProbesheetsError for a file that is not complete, has impossible names, or rows that are too long."""
    try:
        about = pyarrow.parquet.ParquetFile(file)
        check_names(str(file), about.schema_arrow.names)
        groups = [about.metadata.row_group(number) for number in range(about.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are not UTF-8
        if "magic bytes" in str(error) or "file size" in str(error):
            raise ProbesheetsError(
                f"{file} is not a complete Parquet file. If it is a CSV file, give it a name that ends in .csv."
            ) from None
        raise ProbesheetsError(f"{file} cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from None
    for group in groups:
        check_size(str(file), group.total_byte_size * min(1, CHUNK_ROWS / max(1, group.num_rows)))
