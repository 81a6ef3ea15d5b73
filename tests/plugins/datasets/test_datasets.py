"""Each dataset: its files by hand, what it judges, and what it says of files that are wrong."""

from __future__ import annotations

import re

from by_hand import result, square, track
from checkout import DOCS

from asdkit.core.component import Context


def test_the_dataset_of_the_docs_works(tmp_path):
    page = (DOCS / "datasets.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict = {"__name__": "solo"}
    exec(compile(block, "docs/datasets.md", "exec", dont_inherit=True), names)
    (component,) = names["asdkit_components"]()
    (tmp_path / "talk.csv").write_text("0.04,0.12\n0.2,0.28\n")
    dataset = component.build(component.config(str(tmp_path)), Context())
    (video,) = dataset.videos()
    judged = video.judge(result(track(0, 1, [square(20, 30)] * 4, 1.0), duration_s=0.32))
    assert judged.truth.tolist() == [False, True, True, False, False, True, True, False]
    assert judged.found.tolist() == [False, True, True, True, True, False, False, False]
