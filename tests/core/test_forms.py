"""The small check of forms, against a validator of the whole of JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from good_result import GOOD
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.forms import misfit
from asdkit.core.results import schema

ODD = [None, True, 0, -1, 1.0, 2.5, "", "text", [], [1], [[-1, 0]], {}, {"a": 1}]


def places(value, at=()):
    """The paths of all values in nested ones."""
    yield at
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in inner:
        yield from places(item, (*at, key))


def test_a_good_one_is_of_the_form():
    assert misfit(GOOD, schema()) is None


@settings(max_examples=200)
@given(st.data())
def test_it_says_the_same_as_a_validator(data):
    found = json.loads(json.dumps(GOOD))
    at = data.draw(st.sampled_from([place for place in places(found) if place]))
    holder = found
    for key in at[:-1]:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[at[-1]] = data.draw(st.sampled_from(ODD))
    else:
        del holder[at[-1]]
    valid = jsonschema.Draft202012Validator(schema()).is_valid(found)
    assert (misfit(found, schema()) is None) == valid


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tracks": None}, "tracks is None, which is no array"),
        ({"tracks": [{**GOOD["tracks"][0], "boxes": [[1, 2, 3]]}]}, "tracks[0].boxes[0] has 3"),
        ({"more": 1}, "there is no more"),
        ({"speech": 3}, "speech is 3, which is no array"),
    ],
)
def test_it_says_where(change, says):
    assert says in misfit({**GOOD, **change}, schema())


def test_the_schema_uses_no_more_than_it_knows():
    text = Path(schema.__code__.co_filename).with_name("result.schema.json").read_text()
    known = (
        "type const properties required additionalProperties items prefixItems minItems maxItems"
    )
    known += " minimum maximum exclusiveMinimum minLength pattern anyOf $ref $defs"
    known += " $schema $id title description"

    def used(node):
        yield from node
        for key in ("properties", "$defs"):
            for inner in node.get(key, {}).values():
                yield from used(inner)
        inner = [node.get("items"), node.get("additionalProperties"), *node.get("anyOf", ())]
        for one in [*inner, *node.get("prefixItems", ())]:
            if isinstance(one, dict):
                yield from used(one)

    assert set(used(json.loads(text))) <= set(known.split())
