"""Columbia: F1 of each person."""

from __future__ import annotations

import numpy as np
import pytest
from by_hand import result, square, track
from judging import make
from synth import write_video

from asdkit import testing
from asdkit.core.errors import InputError


def test_columbia_by_hand(tmp_path):
    """Two people, labels at 29.97 frames a second in a picture half as large.

    Ann, labelled square 5..15 and so 10..30 px, centre (20, 20), frames 0 to 5, speaks in 0 to 3.
    The grid frames nearest to frame / 29.97 s are 0, 1, 2, 3, 3, 4 (0.83, 1.67, 2.50, 3.34, 4.17).
    Her track, centre (24, 18), is decided to speak in grid frames 1 to 3: in labels 1, 2, 3 and 4.
    True positives are labels 1, 2, 3; label 4 is a false one; label 0 is missed:
    F1 = 2 * 3 / (2 * 3 + 1 + 1) = 0.75.
    Bob, centre (60, 40) and 20 px wide, speaks in all of frames 0 to 3. His track begins at grid
    frame 2, and is decided to speak there and in 3: labels 2 and 3 are right, 0 and 1 are missed:
    F1 = 2 * 2 / (2 * 2 + 2) = 2/3. The mean is 17/24.
    """
    write_video(tmp_path / "panel.mkv", frames=10)
    labels = tmp_path / "labels"
    labels.mkdir()
    ann = [f"{k}\t5\t5\t10\t{int(k < 4)}" for k in range(6)]
    (labels / "ann.txt").write_text("\n".join(ann) + "\n")
    (labels / "bob.txt").write_text("".join(f"{k}\t25\t15\t10\t1\r\n" for k in range(4)))
    dataset = make("columbia", labels=labels, video=tmp_path / "panel.mkv", scale=2.0)
    (video,) = testing.check_dataset(dataset)
    judged = video.judge(
        result(
            track(0, 0, [square(24, 18)] * 10, 1.0, speaking=((0.04, 0.16),)),
            track(1, 2, [square(58, 49)] * 4, 2.0, speaking=((0.08, 0.16),)),
            track(2, 0, [square(60, 51)] * 10, 3.0),  # its centre is outside Bob's square
        )
    )
    f1 = {}
    for person in ("ann", "bob"):
        said, true = (x[judged.person == person] for x in (judged.decided, judged.truth))
        f1[person] = 2 * (said & true).sum() / (said.sum() + true.sum())
    assert f1 == pytest.approx({"ann": 0.75, "bob": 2 / 3})
    assert (video.name, dataset.measure.name) == ("panel", "f1_per_person_mean")
    assert judged.found[judged.person == "bob"].tolist() == [False, False, True, True]
    assert judged.on_screen.tolist() == [2] * 8 + [1] * 2
    assert set(judged.face_px) == {20}
    # Ann's frames 5 to 9 and Bob's 4 and 5 have no label near; the third track has none at all.
    assert judged.unlabelled == 4 + 2 + 10


def test_columbia_gives_the_labelled_faces(tmp_path):
    write_video(tmp_path / "panel.mkv", frames=60)
    (tmp_path / "ann.txt").write_text("".join(f"{k}\t{k}\t0\t10\t1\n" for k in (0, 3, 6, 30, 31)))
    dataset = make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv", label_fps=30.0)
    first, second = dataset.videos()[0].faces
    assert (first.first_frame, len(first.boxes)) == (0, 6)
    np.testing.assert_allclose(first.boxes[:, 0], np.arange(6) * 1.2)  # 30 / 25
    assert (second.first_frame, len(second.boxes)) == (25, 2)


def test_columbia_pairs_by_the_nearest_centre(tmp_path):
    write_video(tmp_path / "panel.mkv", frames=2)
    (tmp_path / "ann.txt").write_text("0\t10\t10\t20\t1\n")  # centre (20, 20)
    (tmp_path / "bob.txt").write_text("0\t20\t10\t20\t0\n")  # centre (30, 20)
    (video,) = make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv").videos()
    judged = video.judge(
        result(track(0, 0, [square(24, 20)], 1.0), track(1, 0, [square(22, 20)], 2.0))
    )
    # The second is nearest to Ann; of Bob, the first is what is left.
    assert judged.score.tolist() == [2, 1]


@pytest.mark.parametrize(
    "line",
    [
        *("5\t1\t2\t3", "5\t1\t2\t3\t1\t9", "5\t1\t2\t3\t2", "x\t1\t2\t3\t1"),
        *("-1\t1\t2\t3\t1", "5\t1\t2\t0\t1", "5\t1.5\t2\t3\t1"),
    ],
)
def test_columbia_lines_that_are_wrong(tmp_path, line):
    write_video(tmp_path / "panel.mkv", frames=10)
    (tmp_path / "ann.txt").write_text(f"4\t1\t2\t3\t1\n\n{line}\n")
    with pytest.raises(InputError, match=r"ann.txt:3 holds") as caught:
        make("columbia", labels=tmp_path, video=tmp_path / "panel.mkv").videos()
    assert "FRAME<TAB>X" in caught.value.hint


def test_columbia_files_that_are_missing_or_wrong(tmp_path):
    video = write_video(tmp_path / "panel.mkv", frames=10)
    with pytest.raises(InputError, match="No such file"):
        make("columbia", labels=tmp_path, video=tmp_path / "nothing.mkv").videos()
    with pytest.raises(InputError, match="Cannot read the folder"):
        make("columbia", labels=tmp_path / "nowhere", video=video).videos()
    with pytest.raises(InputError, match=r"holds no labels \(\*.txt\)"):
        make("columbia", labels=tmp_path, video=video).videos()
    (tmp_path / "ann.txt").write_text("\n")
    with pytest.raises(InputError, match=r"ann.txt has no label"):
        make("columbia", labels=tmp_path, video=video).videos()
    (tmp_path / "ann.txt").write_text("4\t1\t2\t3\t1\n4\t1\t2\t3\t1\n")
    with pytest.raises(InputError, match=r"ann.txt:2 labels frame 4 again"):
        make("columbia", labels=tmp_path, video=video).videos()
    (tmp_path / "ann.txt").write_text("30\t1\t2\t3\t1\n")
    with pytest.raises(InputError, match=r"ann.txt has a label at 1.00 s .* lasts 0.40 s"):
        make("columbia", labels=tmp_path, video=video).videos()
    for name in ("label_fps", "scale"):
        with pytest.raises(ValueError, match=name):
            make("columbia", labels=tmp_path, video=video, **{name: 0.0})
