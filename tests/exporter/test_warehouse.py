"""Reading takes little memory for short texts, more for long ones, and never more than PROBESHEETS_MEMORY."""

from pathlib import Path

import duckdb
import pytest

from probesheets import settings
from probesheets.errors import ProbesheetsError
from probesheets.warehouse import batches, duckdb_file

SORTED = "select * from t order by text_id desc"


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    file = tmp_path / "wide.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create table t as select i as text_id, repeat(md5(i::varchar), 900) as text from range(4000) r(i)"
        )
    return file


def test_long_texts_get_more_memory(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And are handed on a few at a time."""
    monkeypatch.setattr(duckdb_file, "SORTING", 0.015)  # 30 MB
    reader = duckdb_file.DuckDB(wide)
    try:
        sizes = [batch.num_rows for batch in reader.stream(SORTED)]
    finally:
        reader.close()
    assert sum(sizes) == 4000
    assert max(sizes) * 900 * 32 <= batches.CHUNK_BYTES


def test_but_not_more_than_there_is(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (duckdb_file, settings):
        monkeypatch.setattr(module, "memory", lambda: 40_000_000)
    reader = duckdb_file.DuckDB(wide)
    try:
        with pytest.raises(ProbesheetsError, match=r"run the command again with PROBESHEETS_MEMORY=0\.08GB"):
            list(reader.stream(SORTED))
    finally:
        reader.close()


def test_what_does_not_fit_is_sorted_beside_the_file(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only connection has a temporary folder, too, and leaves nothing in it."""
    with duckdb.connect(str(wide)) as connection:
        connection.execute(
            "create or replace table t as select i as text_id, md5(i::varchar) as text from range(3e6::int) r(i)"
        )
    monkeypatch.setattr(duckdb_file, "SORTING", 0.03)  # 60 MB for 120
    reader = duckdb_file.DuckDB(wide)
    try:
        batches = reader.stream(SORTED)
        count = next(batches).num_rows
        assert list(Path(f"{wide}.tmp").iterdir())
        assert count + sum(batch.num_rows for batch in batches) == 3_000_000
    finally:
        reader.close()
    assert not Path(f"{wide}.tmp").exists() or not list(Path(f"{wide}.tmp").iterdir())


def test_over_two_gigabytes_of_text_have_a_place(wide: Path) -> None:
    """Offsets of 32 bits would not do for a batch of 2,048 rows of 1.1 MB; benchmarks/soak.py has such rows."""
    reader = duckdb_file.DuckDB(wide)
    try:
        assert str(next(iter(reader.stream("select text from t"))).schema.field("text").type) == "large_string"
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("size", "bytes_"), [("2GB", 2e9), ("600MB", 6e8), ("1.5 gb", 1.5e9), ("1TB", 1e12), ("", 2e9)]
)
def test_memory(size: str, bytes_: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB must understand it, too: profiles.yml passes it on unchanged."""
    monkeypatch.setenv("PROBESHEETS_MEMORY", size)
    assert settings.memory() == bytes_
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{size or '2GB'}'")
        [(limit,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    number, unit = limit.split()
    assert float(number) * 2 ** {"MiB": 20, "GiB": 30}[unit] == pytest.approx(bytes_, rel=0.08)
