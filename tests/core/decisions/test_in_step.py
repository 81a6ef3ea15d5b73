"""From scores with shifted sound to how late the sound is, and whether it fits anybody."""

from __future__ import annotations

import numpy as np
import pytest

from asdkit.core.correcting import STRETCH_S, measured
from asdkit.core.decisions.in_step import FITS_FROM, LEAST_S, REFUSED_BELOW, checked, fit_of, remark
from asdkit.core.sync import SHIFTS, Fit, Piece, Sync

HEIGHT = 2 * FITS_FROM


def piece(late_frames, first_frame=0, height=HEIGHT, frames=50):
    """A piece in which the face speaks best with the sound so many frames later."""
    curve = np.clip(height - 0.5 * np.abs(np.array(SHIFTS) - late_frames), 0, None)
    return Piece(first_frame, np.repeat(curve[:, None], frames, axis=1).astype(np.float32))


def pieces(late_frames, count=4, **how):
    return [piece(late_frames, 50 * k, **how) for k in range(count)]


@pytest.mark.parametrize("frames", [-12, -5, -2, 0, 1, 2, 5, 12])
def test_the_offset_is_found_with_its_sign(frames):
    fit = fit_of(pieces(frames), can_refuse=True)
    assert fit.fits == "yes"
    assert fit.offset_s == pytest.approx(frames / 25, abs=0.02)
    assert fit.certainty > FITS_FROM


def test_silent_faces_beside_the_speaker_do_not_count():
    silent = [Piece(50 * k, np.full((len(SHIFTS), 50), 0.4, np.float32)) for k in range(4)]
    alone, among = (fit_of(some, can_refuse=True) for some in (pieces(5), pieces(5) + 5 * silent))
    assert alone == among


def test_pieces_that_disagree_fit_nobody_if_the_scorer_can_tell():
    apart = [piece(late, 50 * k) for k, late in enumerate((-20, -12, -4, 4, 12, 20))]
    fit = fit_of(apart, can_refuse=True)
    assert (fit.fits, fit.offset_s) == ("no", None)
    assert fit_of(apart, can_refuse=False) == Fit("unknown", None, fit.certainty)


def test_between_the_two_limits_nothing_is_said():
    aim = (FITS_FROM + REFUSED_BELOW) / 2
    factor = aim / fit_of(pieces(5), can_refuse=True).certainty
    fit = fit_of([Piece(p.first_frame, factor * p.agreement) for p in pieces(5)], can_refuse=True)
    assert (fit.fits, fit.offset_s) == ("unknown", None)
    assert fit.certainty == pytest.approx(aim, abs=0.01)


def test_more_speech_in_a_block_is_no_better_offset():
    """A loud stretch of sound, which any face takes for its own, draws no offset to itself."""
    heard = np.add.outer(SHIFTS, np.arange(50))
    loud = np.where(heard > 30, 10.0, 0).astype(np.float32)
    drawn = [Piece(100 * k, p.agreement + loud) for k, p in enumerate(pieces(-10, 6))]
    total = np.sum([p.agreement.sum(axis=1) for p in drawn], axis=0)
    assert SHIFTS[int(np.argmax(total))] == SHIFTS[-1]
    assert fit_of(drawn, can_refuse=True).offset_s == pytest.approx(-0.4, abs=0.05)


def test_blocks_in_which_nobody_may_speak_do_not_count():
    """Of a long piece with a silent half, the other half tells as much as alone."""
    speaks, silent = pieces(5)[0].agreement, np.zeros((len(SHIFTS), 50), np.float32)
    long = [Piece(0, np.concatenate([speaks, silent] * 3, axis=1))]
    alone = [Piece(100 * k, speaks) for k in range(3)]
    assert fit_of(long, can_refuse=True) == fit_of(alone, can_refuse=True)
    assert fit_of(long, can_refuse=True).fits == "yes"


def test_too_little_tells_nothing():
    few = int(LEAST_S * 25 / 50)
    assert fit_of([], can_refuse=True) == Fit()
    assert fit_of(pieces(0, few), can_refuse=True) == Fit()
    assert fit_of(pieces(0, few + 1), can_refuse=True).fits == "yes"
    two_faces = [piece(0, 50 * k) for k in range(few) for _ in range(2)]
    assert fit_of(two_faces, can_refuse=True) == Fit()


@pytest.mark.parametrize("end", [SHIFTS[0], SHIFTS[-1]])
def test_an_offset_at_the_end_of_the_scan_is_not_told(end):
    fit = fit_of(pieces(end), can_refuse=True)
    assert (fit.fits, fit.offset_s) == ("unknown", None)


def test_each_track_is_told_by_itself():
    apart = [piece(late, 50 * k) for k, late in enumerate((-20, -12, -4, 4, 12, 20))]
    found = checked([pieces(5), pieces(-5), [], apart], can_refuse=True)
    assert found.tracks is not None
    assert [fit.fits for fit in found.tracks] == ["yes", "yes", "unknown", "unknown"]
    assert checked([apart], can_refuse=True).whole.fits == "no"
    assert [fit.offset_s for fit in found.tracks[:2]] == pytest.approx([0.2, -0.2], abs=0.01)


@pytest.mark.parametrize(
    ("fit", "says", "remarks"),
    [
        (Fit("yes", 0.2, 3.0), "The sound comes 0.20 s late", "sync=auto puts it in step"),
        (Fit("yes", -0.4, 3.0), "The sound comes 0.40 s early", "sync=auto puts it in step"),
        (Fit("yes", 0.05, 3.0), "The sound fits the lips", ""),
        (Fit("no", None, 1.0), "The sound fits nobody in sight", "dubbed"),
        (Fit(), "Whether the sound fits the lips cannot be told", ""),
    ],
)
def test_sentences(fit, says, remarks):
    assert str(fit) == says
    assert str(Sync(fit, ())) == says
    said = remark(Sync(fit, ()))
    assert said.startswith(says) if remarks else not said
    assert remarks in said


def test_a_sound_that_was_moved_is_said():
    assert remark(Sync(Fit("yes", 0.2, 3.0), moved_s=0.2)) == (
        "The sound comes 0.20 s late: it was put in step"
    )


def test_as_much_is_looked_at_as_it_takes():
    looked = []

    def look(start_s, end_s):
        looked.append((start_s, end_s))
        return [pieces(5)] if len(looked) == 2 else [[]]

    assert measured(look, 7.0, 500.0, can_refuse=True).offset_s == pytest.approx(0.2, abs=0.01)
    assert looked == [(7.0, 7 + STRETCH_S), (7 + STRETCH_S, 7 + 2 * STRETCH_S)]
    looked.clear()
    looked.extend([(0, 0)] * 2)
    assert measured(look, 0.0, 40.0, can_refuse=True) == Fit()
    assert looked[2:] == [(0.0, 30.0), (30.0, 40.0)]
    assert measured(look, 0.0, 5000.0, can_refuse=True) == Fit()
    assert len(looked) == 2 + 2 + 4
