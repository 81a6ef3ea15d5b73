"""What is refused is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def refusal(kind: type[Exception], call: Callable[..., Any], *words: Any, **options: Any) -> str:
    """The error in which a call must end, which is one line."""
    with pytest.raises(kind) as caught:
        call(*words, **options)
    text = str(caught.value)
    del caught  # or its traceback and this frame would keep each other, and weights with them
    assert "\n" not in text
    return text
