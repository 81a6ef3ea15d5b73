"""rttm: who speaks when, without a face."""

from __future__ import annotations

import pytest
from judging import make
from synth import write_video

from asdkit.core.errors import InputError


def speaker(video: str, onset: float, length: float, name: str) -> str:
    return f"SPEAKER {video} 1 {onset} {length} <NA> <NA> {name} <NA> <NA>\n"


def test_rttm_gives_speakers_and_what_is_scored(tmp_path):
    for name in ("one", "two words"):
        write_video(tmp_path / f"{name}.mkv", frames=50)
    (tmp_path / "all.rttm").write_text(
        ";; a comment\n"
        "SPKR-INFO one 1 <NA> <NA> <NA> unknown ann <NA> <NA>\n"
        + speaker("one", 1, 0.5, "bob")
        + speaker("one", 0.25, 0.5, "ann")
        + speaker("one", 0, 0.5, "ann")
        + speaker("one", 1.5, 0.25, "bob")
        + speaker("one", 1.0, 0.25, "ann")
        + speaker("two_words", 0, 2, "cy")
        + speaker("elsewhere", 0, 2, "cy")
    )
    uem = tmp_path / "part.uem"
    uem.write_text("one 1 0.5 1.0\none 1 0.0 0.25\n\ntwo_words 1 0 2\n")
    dataset = make("rttm", videos=tmp_path, rttm=tmp_path / "all.rttm", uem=uem)
    assert (dataset.measure.name, dataset.measure.higher_is_better) == (
        "diarization_error_rate",
        False,
    )
    one, two = dataset.videos()
    assert (one.name, one.path, one.judge) == ("one", tmp_path / "one.mkv", None)
    assert one.speakers == {"ann": ((0, 0.75), (1.0, 1.25)), "bob": ((1.0, 1.75),)}
    assert one.scored == ((0, 0.25), (0.5, 1.0))
    assert (two.name, two.speakers, two.scored) == ("two words", {"cy": ((0, 2),)}, ((0, 2),))


def test_rttm_reads_folders_and_patterns(tmp_path):
    videos, truth = tmp_path / "videos" / "deep", tmp_path / "truth"
    for folder in (videos, truth):
        folder.mkdir(parents=True)
    for name in ("one", "two"):
        write_video(videos / f"{name}.mkv", frames=50)
        (videos / f"{name}.notes").touch()
        (truth / f"{name}.rttm").write_text(speaker(name, 0, 1, "ann"))
    pattern = str(tmp_path / "videos/**/*")
    assert [v.name for v in make("rttm", videos=pattern, rttm=truth).videos()] == ["one", "two"]
    assert make("rttm", videos=videos / "two.mkv", rttm=truth).videos()[0].scored is None


@pytest.mark.parametrize(
    "line",
    [
        "SPEAKER one 1 0 1 <NA> <NA>",
        "SPEECH one 1 0 1 word lex ann 0.5 <NA>",
        "SPEAKER one 1 zero 1 <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 -1 2 <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 0 inf <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 nan 1 <NA> <NA> ann <NA> <NA>",
        "SPEAKER one 1 0 1 <NA> <NA> ann smith <NA> <NA>",
    ],
)
def test_rttm_lines_that_are_wrong(tmp_path, line):
    write_video(tmp_path / "one.mkv", frames=50)
    (tmp_path / "one.rttm").write_text(f"{speaker('one', 0, 1, 'ann')}{line}\n")
    with pytest.raises(InputError, match=r"one.rttm:2 (has|is) ") as caught:
        make("rttm", videos=tmp_path, rttm=tmp_path).videos()
    assert "SPEAKER FILE 1 ONSET" in caught.value.hint


@pytest.mark.parametrize("line", ["one 1 0", "one 1 0 x", "one 1 2 1", "one 1 0 1 2"])
def test_uem_lines_that_are_wrong(tmp_path, line):
    write_video(tmp_path / "one.mkv", frames=50)
    (tmp_path / "one.rttm").write_text(speaker("one", 0, 1, "ann"))
    (tmp_path / "part.uem").write_text(f";; part\n{line}\n")
    with pytest.raises(InputError, match=r"part.uem:2 (has|ends) "):
        make("rttm", videos=tmp_path, rttm=tmp_path, uem=tmp_path / "part.uem").videos()


def test_rttm_files_that_are_missing_or_do_not_fit(tmp_path):
    truth = tmp_path / "all.rttm"
    with pytest.raises(InputError, match="There is no video in"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    with pytest.raises(InputError, match="There is no video in"):
        make("rttm", videos=tmp_path / "*.mkv", rttm=truth).videos()
    write_video(tmp_path / "one.mkv", frames=50)
    with pytest.raises(InputError, match=r"Cannot read the truth .*all.rttm"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    with pytest.raises(InputError, match=r"holds no truth \(\*.rttm\)"):
        make("rttm", videos=tmp_path, rttm=tmp_path).videos()
    truth.write_text("")
    with pytest.raises(InputError, match="says nothing of the video one, but holds no line"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    truth.write_text("".join(speaker(name, 0, 1, "ann") for name in "edcba"))
    with pytest.raises(InputError, match="of the video one, but of a, b, c and others"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    truth.write_text(speaker("one", 0, 1, "ann"))
    (tmp_path / "part.uem").write_text("two 1 0 1\n")
    with pytest.raises(InputError, match=r"part.uem says nothing of the video one"):
        make("rttm", videos=tmp_path, rttm=truth, uem=tmp_path / "part.uem").videos()
    truth.write_text(speaker("one", 1, 2, "ann"))
    with pytest.raises(InputError, match=r"all.rttm has a label at 3.00 s .* lasts 2.00 s"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
    (tmp_path / "one.mp4").touch()
    with pytest.raises(InputError, match="Two videos have the name one"):
        make("rttm", videos=tmp_path, rttm=truth).videos()
