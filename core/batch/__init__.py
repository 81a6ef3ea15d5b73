"""`asd batch`: finds videos, distributes them to worker processes, and records each outcome."""

from .run import Summary, run_batch
from .settings import BATCH, BatchOptions

__all__ = ["BATCH", "BatchOptions", "Summary", "run_batch"]
