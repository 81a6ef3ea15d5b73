"""Tables of videos and categories, in Markdown and LaTeX, and curves of several evaluations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from evaluating import evaluated

from asdkit.core.cli.main import main
from asdkit.core.evaluation.metrics import precision_recall
from asdkit.core.evaluation.plots import MOST_CURVES, draw_curves
from asdkit.core.evaluation.tables import (
    Estimate,
    best_cells,
    latex_table,
    latex_text,
    markdown_table,
    markdown_text,
    stars,
    write_tables,
)


def test_latex_is_escaped():
    assert latex_text("a_b & 50% #1 ${x}$") == r"a\_b \& 50\% \#1 \$\{x\}\$"
    assert latex_text("\\input{x}~^") == (
        r"\textbackslash{}input\{x\}\textasciitilde{}\textasciicircum{}"
    )
    assert latex_text('<a|b> "c"') == (
        r"\textless{}a\textbar{}b\textgreater{} \textquotedbl{}c\textquotedbl{}"
    )
    assert latex_text("two\nlines\x07 \udcff") == "two lines  \ufffd"
    assert latex_text("[0.1, 0.2]*") == "[0.1, 0.2]*"


def test_a_table_in_latex():
    text = latex_table(["video", "AP"], [["[a]", "0.5"], ["*b", "0.6"], ["c", ""]])
    assert text.splitlines()[1:] == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"video & AP \\",
        r"\midrule",
        r"{}[a] & 0.5 \\",  # else LaTeX takes it for an argument of the end of the row before
        r"{}*b & 0.6 \\",
        r"c &  \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_markdown_is_escaped():
    assert markdown_text("a|b\\c *d* <e>\n`f`") == r"a\|b\\c \*d\* &lt;e> \`f\`"
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_the_best_of_a_column():
    values = [0.5, None, Estimate(0.7, 0.6, 0.8), 0.7]
    assert best_cells(values, higher_is_better=True) == {2, 3}
    assert best_cells(values, higher_is_better=False) == {0}
    assert best_cells([0.5, None, 0.5], higher_is_better=True) == set()


def test_stars():
    assert [stars(p) for p in (0.05, 0.049, 0.0099, 0.0009)] == ["", "*", "**", "***"]


def test_tables_of_videos(options):
    found = evaluated(options)
    lines = Path("out/tables.md").read_text().splitlines()
    one = found["per_video"]["one"]
    assert lines[0] == "| video | rows | speaking | AP | F1 | balanced accuracy |"
    figures = (one[key] for key in ("average_precision", "f1", "balanced_accuracy"))
    cells = ["one", "150", "75", *(f"{value:.3f}" for value in figures)]
    assert lines[2] == f"| {' | '.join(cells)} |"
    assert f"{' & '.join(cells)} \\\\" in Path("out/tables.tex").read_text().splitlines()
    assert found["per_category"] == {}


def test_categories(options, monkeypatch, capsys):
    """Of a dataset that has some: a video may be in several."""
    from dataclasses import replace

    from asdkit.plugins.datasets import dialogue

    categories = {"one": ("noisy", "small_faces"), "two": ("noisy",)}
    videos_of = dialogue.Dialogue.videos

    def videos(self):
        return [replace(v, categories=categories[v.name]) for v in videos_of(self)]

    monkeypatch.setattr(dialogue.Dialogue, "videos", videos)
    main(["evaluate", *options, "output=out"])
    found = json.loads(Path("out/evaluation.json").read_text())
    noisy, small = found["per_category"].values()
    assert list(found["per_category"]) == ["noisy", "small_faces"]
    assert (noisy["videos"], small["videos"]) == (2, 1)
    names = ("rows", "positives", "average_precision", "f1", "balanced_accuracy")
    assert {k: noisy[k] for k in names} == {k: found["metrics"][k] for k in names}
    assert {k: small[k] for k in names} == found["per_video"]["one"]
    out = capsys.readouterr().out
    assert re.search(r"│ small_faces +│ 150 ", out)
    assert r"small\_faces & 150 &" in Path("out/tables.tex").read_text()
    assert "| small_faces | 150 |" in Path("out/tables.md").read_text()


def test_nothing_to_tell(tmp_path):
    write_tables({"video": {"a": {}}, "category": {}}, tmp_path)
    assert not list(tmp_path.iterdir())


# --- curves


def curves(count):
    rng = np.random.default_rng(0)
    truth = rng.random(5000) < 0.3
    return [(f"run $_{k}$", rng.normal(size=5000) + k * truth / 4, truth) for k in range(count)]


def test_curves_have_names_and_differ(tmp_path):
    pytest.importorskip("matplotlib")
    given = curves(MOST_CURVES)
    files = draw_curves(given, tmp_path / "a")
    assert all(path.is_file() for path in files)
    svg = ElementTree.parse(tmp_path / "a.svg")
    texts = ["".join(n.itertext()) for n in svg.iter("{http://www.w3.org/2000/svg}text")]
    for name, _, _ in given:
        assert any(text.startswith(f"{name}: 0.") for text in texts)
    svg = (tmp_path / "a.svg").read_text()
    lines = re.findall(r"fill: none;([^\"]*)stroke: (#\w+)", svg)
    assert len({(colour, "dash" in dashes) for dashes, colour in lines}) >= MOST_CURVES


def test_long_names_of_curves_are_broken_to_fit_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    ((_, scores, truth),) = curves(1)
    name = " ".join(["predictions sweep/scorer=lr_asd@ava/predictions.csv"] * 4)
    draw_curves([(name, scores, truth)], tmp_path / "a")
    svg = ElementTree.parse(tmp_path / "a.svg")
    texts = ["".join(n.itertext()) for n in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert max(map(len, texts)) <= 70
    shown = " ".join(text for text in texts if "sweep" in text or "pred" in text)
    assert shown.count("lr_asd@ava") == 4


def test_long_curves_stay_small_and_true(tmp_path):
    pytest.importorskip("matplotlib")
    from asdkit.core.evaluation.plots import _thinned

    (_, scores, truth) = curves(1)[0]
    precision, recall = precision_recall(scores, truth)
    fewer, at = _thinned(precision, recall)
    assert len(at) == 2000
    assert (at[0], at[-1]) == (recall[0], 1)
    assert set(zip(at, fewer, strict=True)) <= set(zip(recall, precision, strict=True))
    short = _thinned(precision[:5], recall[:5])
    assert np.array_equal(short[1], recall[:5])


def test_a_comparison_draws_all_curves(options):
    pytest.importorskip("matplotlib")
    evaluated(options, "a")
    evaluated([*options, "segments.on=0.9"], "b")
    main(["compare", "a", "b", "bootstrap=0", "output=out"])
    svg = ElementTree.parse("out/compare_curves.svg")
    texts = ["".join(n.itertext()) for n in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith("on 0.9: ") for text in texts)
    assert Path("out/compare_curves.png").is_file()
    main(["compare", "a", "bootstrap=0", "output=alone"])
    assert not Path("alone/compare_curves.svg").exists()
