"""Measures building and exporting against what one would use instead, prints a table and writes results.md.

Usage: python -m benchmarks.bench [--full] [--only PART ...] [--SIZE N ...]. Times are of the wall clock, whole commands
with their start, the best of several runs where a run is short; nothing here passes or fails.
"""

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.parts import PARTS, Bench, Line, is_there
from benchmarks.peers import PEERS
from tests.servers import ROOT

PACKAGES = ("duckdb", "pyarrow", "isal", "pandas", "openpyxl", "xlsxwriter", "rustpy-xlsxwriter", "dbt-core")
# name: (default, with --full, what it is)
SIZES = {
    "rows": (40_000, 400_000, "rows of table_output on the servers; a tenth of them is built, too"),
    "view-seconds": (15, 400, "seconds that the first view gets before it is stopped"),
    "csv-rows": (400_000, 4_000_000, "rows of a CSV file that is copied"),
    "answers": (180_000, 180_000, "answers of a JSON lines and of a Parquet file that are copied"),
    "texts": (30_000, 100_000, "texts of 50 probes, built on DuckDB and exported by all"),
    "many-probes": (400, 5_000, "probes of 20 texts, against 50 probes with as many texts together"),
    "big-texts": (40_000, 2_000_000, "texts of 8 probes, for the memory that building and exporting take"),
    "files-texts": (10_000, 100_000, "texts for the memory that many workbooks take, 50 texts in each"),
}


def table(lines: list[Line]) -> str:
    head = Line("what", "ours", "beside", "theirs", "ratio", "wanted")
    rows = [[line.what, line.ours, line.peer, line.theirs, line.ratio, line.wanted] for line in (head, *lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    packages = [f"{name} {version(name)}" for name in PACKAGES if _has(name)]
    cores = f"{os.cpu_count()} cores ({names[0] if names else platform.machine()})"
    python = f"Python {platform.python_version()}"
    return ", ".join([cores, f"{memory:.0f} GB", platform.platform(), python, *packages])


def _cpuinfo() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except ModuleNotFoundError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the sizes of the goals; takes half an hour")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="only this part; may be repeated")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results.md"), help="the file to write")
    for name, (default, full, what) in SIZES.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{what} ({default:,}; {full:,} with --full)")
    given = vars(parser.parse_args())
    sizes = {
        name: given[name.replace("-", "_")] or (full if given["full"] else default)
        for name, (default, full, _) in SIZES.items()
    }
    begin, load = datetime.now(UTC), os.getloadavg()[0]
    lines: list[Line] = []
    (ROOT / "target").mkdir(exist_ok=True)  # a usual folder: /tmp can be slow with many files, or be memory
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "target", ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), sizes)
        for part in given["only"] or PARTS:
            for line in PARTS[part](bench):
                lines.append(line)
                print(" | ".join(filter(None, vars(line).values())), flush=True)
    taken = (datetime.now(UTC) - begin).total_seconds()
    missing = [name for name in PEERS if not is_there(name)]
    listed = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    notes = [
        f"{begin:%Y-%m-%d}, {taken:.0f} s in all, on {machine()}.",
        f"Sizes: {listed}. Load average before the run {load:.1f}, after it {os.getloadavg()[0]:.1f}.",
        "Seconds are of whole commands, the best of two to five runs if one is short; MB are peaks of resident memory.",
        *([f"Not installed, so not measured: {', '.join(missing)}."] if missing else []),
    ]
    text = "\n".join(["# Measured by `make bench`", "", *(f"{note}\n" for note in notes), table(lines), ""])
    given["out"].write_text(text, encoding="utf-8")
    print("\n" + text)


if __name__ == "__main__":
    main()
