"""Source files of any size, and the scripts that copy them: ours, and DuckDB's own reader, which checks little."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data import LINKS, PROSE

COLUMNS = ("id", "experiment_id", "root_id", "tag", "probe", "content")
LONG = 1_100_000  # characters of a long text
COPY = """
import sys
from pathlib import Path
from probesheets.errors import ProbesheetsError
from probesheets.source.asked import Source
from probesheets.source.copy import copy_source
try:
    said = copy_source(Path("copy.duckdb"), Source(sys.argv[1])).said[0]
except ProbesheetsError as error:
    said = str(error)
Path("said").write_text(said, encoding="utf-8")
"""
THEIRS = """
import duckdb, sys
with duckdb.connect("theirs.duckdb") as connection:
    file = sys.argv[1]
    reader = f"read_csv('{file}', all_varchar = true)" if file.endswith(".csv") else f"'{file}'"
    connection.execute(f"create or replace table t as from {reader}")
"""


def texts_of(rows: int, length: int) -> Iterator[list[str]]:
    """The texts of a file, some at a time: so long on average, or each of them if they are long."""
    chance, few = Random(1), 20 if length >= LONG else 20_000
    prose = " ".join(chance.choices(PROSE.split() + LINKS.split(), k=200_000))
    prose *= 2 + 2 * length // len(prose)
    for start in range(0, rows, few):
        sizes = [length if length >= LONG else chance.randrange(2 * length) for _ in range(min(few, rows - start))]
        begins = [chance.randrange(len(prose) - size) for size in sizes]
        yield [prose[begin : begin + size] for begin, size in zip(begins, sizes, strict=True)]


def write_csv(file: Path, rows: int, length: int) -> Path:
    """Three texts in ten are quoted, and hold quotes, commas and a line break."""
    number = 0
    with file.open("w", encoding="utf-8") as stream:
        stream.write(",".join(COLUMNS) + "\n")
        for texts in texts_of(rows, length):
            some = []
            for text in texts:
                number += 1
                shown = '"{}\n"'.format(text.replace("is ", '""is"", ')) if number % 10 < 3 else text
                some.append(f"{number},{number // 5000},{number - number % 4},trimmed,Prompt {number % 50},{shown}\n")
            stream.writelines(some)
    return file


def write_parquet(file: Path, rows: int, length: int) -> Path:
    number = 0
    schema = pa.schema([(name, pa.int64() if "id" in name else pa.string()) for name in COLUMNS])
    with pq.ParquetWriter(file, schema) as writer:
        for texts in texts_of(rows, length):
            ids = range(number, number + len(texts))
            columns = [ids, [1] * len(ids), [0] * len(ids), ["trimmed"] * len(ids), ["p"] * len(ids), texts]
            writer.write_table(pa.table([pa.array(column) for column in columns], schema=schema))
            number += len(ids)
    return file


def write_answers(folder: Path, rows: int, length: int) -> Iterator[Path]:
    """The same answers as JSON lines and as Parquet."""
    lines, table = folder / "answers.jsonl", folder / "answers.parquet"
    number = 0
    with lines.open("w", encoding="utf-8") as stream:
        for texts in texts_of(rows, length):
            for text in texts:
                number += 1
                row = {"id": f"answer {number}", "prompt": f"Prompt {number % 50}", "response": text, "model": "gpt-4"}
                stream.write(json.dumps(row) + "\n")
    duckdb.sql(f"copy (from '{lines}') to '{table}'")
    yield from (lines, table)
