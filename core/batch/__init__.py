"""Many videos: found, shared out, done by workers, and each accounted for."""

from .run import Summary, run_batch
from .settings import BATCH, BatchOptions

__all__ = ["BATCH", "BatchOptions", "Summary", "run_batch"]
