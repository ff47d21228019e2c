"""Set up pyarrow on import: it must not import pandas, and must return memory to the system.

If pandas is installed, pyarrow imports it with the first Python value that it converts: half a second and 50 MB for
nothing. Its default allocator keeps freed memory, 30 to 80 MB in an export.
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
    pa.array(())  # pyarrow tries to import it only once
    del sys.meta_path[0]
pa.set_memory_pool(pa.system_memory_pool())
