"""What a recipe of a training may hold."""

from __future__ import annotations

import pytest

from asdkit.core.trainable import Recipe

GOOD = {"learning_rate": 1e-3, "decay": 0.95, "epochs": 30, "batch_frames": 2000}


def test_weights_do_not_decay_unless_a_recipe_says_so():
    assert Recipe("a paper", **GOOD).weight_decay == 0
    assert Recipe("a paper", **GOOD, weight_decay=0.01).weight_decay == 0.01


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("learning_rate", 0.0, "learning_rate must be above 0, got 0.0"),
        ("decay", 1.1, "decay must be above 0, up to 1, got 1.1"),
        ("epochs", 0, "must be at least 1, got 0 and 2000"),
        ("batch_frames", 0, "must be at least 1, got 30 and 0"),
        ("weight_decay", -0.1, "weight_decay must be 0 or more, got -0.1"),
        ("weight_decay", float("nan"), "weight_decay must be 0 or more, got nan"),
    ],
)
def test_values_out_of_range_are_told(field, value, says):
    with pytest.raises(ValueError, match=says):
        Recipe("a paper", **{**GOOD, field: value})
