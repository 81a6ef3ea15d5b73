"""Writes docs/options.md, the help of every Hydra application.

python docs/options.py            prints it
python docs/options.py --write    puts it into the page
"""

from __future__ import annotations

import sys
from pathlib import Path

from asdkit.core.batch.settings import BATCH
from asdkit.core.cli.help import app_help
from asdkit.core.config.compose import RUN
from asdkit.core.data.dialogue_settings import DIALOGUES
from asdkit.core.data.settings import CHECK, CROPS
from asdkit.core.evaluation.settings import CALIBRATE, EVALUATE
from asdkit.core.finished.settings import WRITE
from asdkit.core.live.plan import LIVE
from asdkit.export.settings import EXPORT
from asdkit.training.settings import TRAIN

PAGE = Path(__file__).parent / "options.md"


def page() -> str:
    """The page: its head as it is, and the help of each application."""
    head = PAGE.read_text(encoding="utf-8").partition("```text")[0]
    applications = (
        *(RUN, LIVE, BATCH, WRITE, EVALUATE, CALIBRATE, TRAIN, EXPORT),
        *(CROPS, CHECK, DIALOGUES),
    )
    return head + "\n".join(f"```text\n{app_help(app, [])}```\n" for app in applications)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
