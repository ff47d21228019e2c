"""One export: its source, its selection and its folder."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from probesheets.export.batches import Batch
from probesheets.export.selection import Selection
from probesheets.folder.publish import Folder
from probesheets.progress import Track
from probesheets.project.models import Project
from probesheets.warehouse import Warehouse


@dataclass(frozen=True)
class Job:
    """One export. `probes` are the rows of the model probes; `stop` tells all threads that one of them failed."""

    project: Project
    warehouse: Warehouse
    folder: Folder
    probes: list[dict[str, Any]]
    selection: Selection
    batch: Batch
    created: datetime
    track: Track
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def replaces_all(self) -> bool:
        return self.selection.everything and not self.batch.new
