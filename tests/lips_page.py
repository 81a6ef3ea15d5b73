"""The small scorer that docs/plugins.md trains."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import pytest
from checkout import DOCS


def scorer_of_the_page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's plugin as the module `lips`, for as long as the test runs."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "plugins.md").read_text("utf-8"), re.DOTALL)
    (code,) = (block for block in blocks if "LipsConfig" in block)
    module = ModuleType("lips")
    monkeypatch.setitem(sys.modules, "lips", module)
    exec(compile(code, "lips.py", "exec"), vars(module))
    return module
