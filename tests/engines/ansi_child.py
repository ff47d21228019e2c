"""Spark with ANSI mode on, without dbt. Run by the Python of .venv-spark: JSON on stdin, the answer on stdout.

{"before": [SQL], "models": {name: SQL}, "tests": {name: SQL}, "out": folder} -> {test: its one value}
"""

import json
import sys

from pyspark.sql import SparkSession


def main() -> None:
    task = json.load(sys.stdin)
    settings = {
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": task["out"],
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    for statement in task["before"]:
        session.sql(statement)
    for name, select in task["models"].items():
        session.sql(select).write.parquet(f"{task['out']}/{name}")
    print(json.dumps({name: session.sql(select).collect()[0][0] for name, select in task["tests"].items()}))


if __name__ == "__main__":
    main()
