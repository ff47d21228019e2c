"""Imported for what it does: pyarrow, in this process, goes without pandas and gives memory back.

Where pandas is installed, pyarrow imports it with the first Python value that it meets: half a second, 50 MB, no use.
Its usual allocator keeps what it has once had, 30 to 80 MB in an export.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError(fullname)


if "pandas" not in sys.modules:
    sys.meta_path.insert(0, _NoPandas())
    pa.array(())  # pyarrow asks for it once only
    del sys.meta_path[0]
pa.set_memory_pool(pa.system_memory_pool())
