"""Random SIGKILLs over run, export, --new and dbt build. PROBESHEETS_SOAK=1 (`make soak`) does all 360 of them."""

import os
import random
from dataclasses import replace

import pytest

from tests.build import Build, Source, load_server
from tests.conftest import Builder
from tests.trust.kills import COLUMNS, VARIANTS, Victim, variant

SCALE = float(os.environ.get("PROBESHEETS_SOAK", "0.02"))
KILLS = {"duckdb": round(300 * SCALE), "mariadb": round(60 * SCALE)}


@pytest.fixture(scope="module")
def plain(sample: Source) -> Source:
    return Source("kills", [{name: row[name] for name in COLUMNS} for row in sample.outputs], sample.experiments)


@pytest.mark.parametrize("target", KILLS)
def test_random_kills(target: str, built: Builder, plain: Source) -> None:
    build: Build = built(target, plain)
    seed = os.environ.get("PROBESHEETS_SOAK_SEED", "20261124")
    if build.server:
        put_on_server(build, plain)
    victim = Victim(build, plain, random.Random(seed))
    victim.prepare()
    for number in range(KILLS[target]):
        killed = f"kill {number} with seed {seed}: {victim.kill_one()}"
        print(killed, flush=True)
        victim.check(killed)
    print(target, KILLS[target], "kills:", victim.outcomes)


def put_on_server(build: Build, source: Source) -> None:
    """Every variant as a table of the schema v, from which the source is filled."""
    assert build.server
    build.server.root.execute("create schema v default character set utf8mb4")
    for number in VARIANTS:
        load_server(build.server, "v", replace(source, outputs=variant(source.outputs, number), experiments=()))
        build.server.root.execute(f"rename table v.table_output to v.v{number}")
