"""Mutated CSV and Parquet files given to the loader: the right rows, or one clear error and the copy that was there.

The right rows of CSV are those of csv_files.py; the blocks that the loader reads are of all sizes. PROBESHEETS_FUZZ=10
(`make fuzz`) makes ten times as many files.
"""

import os
import random
import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probesheets.errors import ProbesheetsError
from probesheets.source import csv_files
from probesheets.source.asked import Source
from probesheets.source.copy import copy_source
from tests.build import command, make_project, run
from tests.copies import replace_copy
from tests.trust.csv_files import (
    HARMLESS,
    MUTATIONS,
    Row,
    WrongFileError,
    WrongIdsError,
    byte_order_mark,
    bytes_changed,
    column_less,
    cut,
    good,
    other_delimiter,
    other_line_ends,
    reading,
    right_rows,
    written,
)

TIMES = int(os.environ.get("PROBESHEETS_FUZZ", "1"))
FILES, RUNS, PARQUET = 200 * TIMES, 10 * TIMES, 150 * TIMES
BLOCKS = (1, 2, 7, 60, csv_files.BLOCK_BYTES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("input")


def copy(database: Path) -> list[Row]:
    columns = "id, experiment_id, root_id, depth, tag, probe, content"
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"select {columns} from table_output order by id").fetchall()


@pytest.mark.parametrize("seed", range(FILES // 20))
def test_twenty_mutated_files(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, file, chance = folder / f"{seed}.duckdb", folder / f"{seed}.csv", random.Random(seed)
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", BLOCKS[seed % len(BLOCKS)])
    file.write_bytes(written(good(chance)))
    replace_copy(database, str(file), None)
    for at in range(20):
        mutation = MUTATIONS[(at + 20 * seed) % len(MUTATIONS)]
        data, before = mutation(chance, good(chance)), copy(database)
        file.write_bytes(data)
        try:
            expected = right_rows(data)
        except WrongIdsError:
            copy_source(database, Source(str(file)))
        except WrongFileError as wrong:
            assert mutation not in HARMLESS
            with pytest.raises(ProbesheetsError) as error:
                replace_copy(database, str(file), None)
            assert str(file) in str(error.value), (mutation.__name__, wrong)
            assert copy(database) == before
        else:
            replace_copy(database, str(file), None)
            assert copy(database) == expected, mutation.__name__


@pytest.mark.parametrize("seed", range(FILES // 20))
def test_five_hundred_files_of_quotes(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Almost only characters that have a meaning in CSV, for the file reader alone, without a database."""
    file, chance, taken = folder / f"quotes{seed}.csv", random.Random(2000 + seed), 0
    for _ in range(500):
        if chance.random() < 0.5:
            rows = [["".join(chance.choices('",\r\nxé', k=chance.randrange(5))) for _ in "ab"] for _ in range(5)]
            data = written([["a", "b"], *rows], end=chance.choice(["\r", "\n", "\r\n"]), special="\r\n,")
        else:
            data = b"a,b\n" + "".join(chance.choices('""",\r\nxé', k=chance.randrange(30))).encode()
        file.write_bytes(data)
        monkeypatch.setattr(csv_files, "BLOCK_BYTES", chance.choice(BLOCKS))
        try:
            expected = reading(data)
            if any(len(row) != 2 for row in expected):
                raise WrongFileError("rows")
        except WrongFileError:
            with pytest.raises(ProbesheetsError, match=re.escape(str(file))):
                list(csv_files.read_chunks(file, ("a", "b")))
        else:
            taken += 1
            assert read(file) == expected[1:], data
    assert 200 < taken < 400


def read(file: Path) -> list[list[str]]:
    batches = csv_files.read_chunks(file, ("a", "b"))
    return [list(row.values()) for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize("seed", range(PARQUET // 50))
def test_fifty_mutated_parquet_files(seed: int, folder: Path) -> None:
    """Parquet has no checksums here, so some changes go unnoticed; but none gives a traceback or half a copy."""
    database, file, chance = folder / f"p{seed}.duckdb", folder / f"{seed}.parquet", random.Random(3000 + seed)
    file.with_suffix(".csv").write_bytes(written(good(chance)))
    replace_copy(database, str(file.with_suffix(".csv")), None)
    for _ in range(50):
        header, *rows = good(chance)
        table, plain = pa.table(list(zip(*rows, strict=True)), names=header), chance.random() < 0.5
        compression = "none" if plain else chance.choice(["snappy", "zstd", "gzip"])
        pq.write_table(table, file, compression=compression, store_schema=not plain, use_dictionary=not plain)
        data, before = bytearray(file.read_bytes()), copy(database)
        for _ in range(chance.choice([0, 1, 1, 3])):
            at = chance.randrange(chance.choice([0, max(0, len(data) - 600)]), len(data))  # the end says what is where
            length = chance.choice([1, 1, 0, 2])
            data[at : at + length] = chance.randbytes(chance.choice([length, 1]))
        file.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        try:
            replace_copy(database, str(file), None)
        except ProbesheetsError as error:
            assert str(error).startswith(f"{file}")
            assert copy(database) == before


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_whole_run(seed: int, tmp_path: Path) -> None:
    """A wrong file: one error, before dbt is started, and no traceback. A right one: workbooks."""
    make_project(tmp_path / "p")
    chance = random.Random(1000 + seed)
    mutation = (byte_order_mark, column_less, other_delimiter, bytes_changed, other_line_ends, cut)[seed % 6]
    rows = good(chance)
    rows += [["9999", "1", "1", "trimmed", "Masks are", "one text that is there", "1"]]
    data = mutation(chance, rows)
    (tmp_path / "p" / "mine.csv").write_bytes(data)
    arguments = [str(command("duckdb", "probesheets")), "run", "--source", "mine.csv", "--out", "out"]
    result = run(arguments, tmp_path / "p", {})
    said = result.stdout + result.stderr
    assert "Traceback" not in said
    try:
        rows = [row for row in right_rows(data) if row[4] == "trimmed"]
    except WrongFileError:
        assert result.returncode == 1 and said.count("Error: mine.csv") == 1
        assert not (tmp_path / "p" / "out").exists() and not (tmp_path / "p" / "target").exists()
    else:
        assert result.returncode == 0, said
        assert f"of {len(rows)} text row" in said
