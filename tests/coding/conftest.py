"""The texts of the sample, by Record ID."""

import pytest

from tests.build import Build


@pytest.fixture(scope="module")
def texts(built_sample: Build) -> dict[str, str]:
    return {str(record): str(text) for record, text in built_sample.rows("texts", ["record_id", "text"])}
