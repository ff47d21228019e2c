"""Set up pyarrow on import: it must not import pandas, and must return memory to the system.

If pandas is installed, pyarrow imports it with the first Python value that it converts: half a second and 50 MB for
nothing. Its default allocator keeps freed memory, 30 to 80 MB in an export.
"""

import sys

import pyarrow as pa


class _NoPandas:
    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ImportError(name)


if "pandas" not in sys.modules:
    sys.meta_path.insert(0, _NoPandas())
    pa.array(())  # pyarrow tries to import it only once
    del sys.meta_path[0]
pa.set_memory_pool(pa.system_memory_pool())
