"""`dbt build` on a cluster of Spark, in a project folder that has the rows of table_output in its folder `source`.

Usage: python -m benchmarks.spark_build WORKERS
"""

import json
import subprocess
import sys
from pathlib import Path

from tests import spark
from tests.build import command, own_environment
from tests.spark_cluster import cluster

SETTINGS = {"spark.eventLog.logStageExecutorMetrics": "true"}
MEMORY = "2g"  # of the driver and of each worker


def main(workers: int) -> None:
    folder = Path.cwd()
    with cluster(folder / "cluster", workers, SETTINGS, memory=MEMORY, java_options="") as processes:
        environment = spark.environment(folder) | processes.environment
        views = {"table_output": f"select * from parquet.`{folder / 'source'}`"}
        environment["PROBESHEETS_INCOMING"] = json.dumps({"name": "made up", "rows": None, "views": views})
        arguments = ["--quiet", "build", "--target", "spark", "--profiles-dir", ".", "--exclude-resource-type"]
        dbt = [str(command("spark", "dbt")), *arguments, "unit_test"]
        result = subprocess.run(dbt, cwd=folder, env=own_environment(environment, folder), check=False)
    sys.exit(result.returncode)


if __name__ == "__main__":
    main(int(sys.argv[1]))
