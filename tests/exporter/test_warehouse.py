"""Reading: little memory for short texts, more where long ones need it."""

from pathlib import Path

import duckdb
import pytest

from exporter import warehouse


def test_long_texts_get_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "wide.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create table t as select i as text_id, repeat(md5(i::varchar), 900) as text from range(4000) r(i)"
        )
    monkeypatch.setattr(warehouse, "MEMORY_LIMIT", "30MB")
    reader = warehouse.DuckDB(file)
    try:
        assert sum(batch.num_rows for batch in reader.batches("select * from t order by text_id desc")) == 4000
    finally:
        reader.close()
