"""The laws by which faces and sounds are changed at random."""

from __future__ import annotations

import numpy as np
import pytest
from learning import counted

from asdkit.core.types import Clip
from asdkit.training.augment import Augment, augmented, enlarged, flipped, rotated, with_sound_of


def clip_of(sound: np.ndarray, faces: np.ndarray | None = None) -> Clip:
    n = len(sound) // 640
    faces = np.zeros((n, 112, 112), np.uint8) if faces is None else faces
    return Clip(faces, np.asarray(sound).astype(np.int16))


def noise(level: float, seed: int, frames: int = 25) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, 640 * frames)


def level_db(sound: np.ndarray) -> float:
    return 10 * np.log10(np.mean(sound.astype(float) ** 2))


def dot(row: int, column: int) -> np.ndarray:
    """Two frames of a bright square of 9 px around a place."""
    faces = np.zeros((2, 112, 112), np.uint8)
    faces[:, row - 4 : row + 5, column - 4 : column + 5] = 255
    return faces


def centre(face: np.ndarray) -> tuple[float, float]:
    """The row and the column of what is bright."""
    rows, columns = np.indices(face.shape)
    weight = face.astype(float)
    return (rows * weight).sum() / weight.sum(), (columns * weight).sum() / weight.sum()


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 3.5])
@pytest.mark.parametrize("levels", [(500, 2000), (3000, 40), (800, 800)])
def test_a_foreign_sound_is_added_at_the_ratio_asked_for(snr_db, levels):
    own, other = clip_of(noise(levels[0], 1)), clip_of(noise(levels[1], 2))
    mixed = with_sound_of(own, other, snr_db)
    added = mixed.sound.astype(float) - own.sound
    assert level_db(own.sound) - level_db(added) == pytest.approx(snr_db, abs=0.01)
    assert np.corrcoef(added, other.sound)[0, 1] > 0.999


def test_the_samples_around_the_clip_are_mixed_alike():
    own, other = clip_of(noise(500, 1)), clip_of(noise(500, 2))
    own = Clip(own.faces, own.sound, 100, np.full(240, 50, np.int16))
    other = Clip(other.faces, other.sound, -300, np.full(240, 70, np.int16))
    mixed = with_sound_of(own, other, 0.0)
    gain = (mixed.sound_before - 100) / -300
    assert gain == pytest.approx(
        10 ** ((level_db(own.sound) - level_db(other.sound)) / 20), abs=0.01
    )
    assert (np.abs(mixed.sound_after - (50 + gain * 70)) <= 1).all()


def test_loud_sums_are_clipped_and_do_not_wrap():
    loud = clip_of(np.full(6400, 30_000))
    assert (with_sound_of(loud, loud, 0.0).sound == 32_767).all()


def test_silence_stays_silent_beside_a_foreign_sound():
    """Its level is that of a hundredth of a step, and so is what is added."""
    mixed = with_sound_of(clip_of(np.zeros(6400)), clip_of(noise(3000, 1, 10)), -5.0)
    assert not mixed.sound.any()
    own = clip_of(noise(3000, 1, 10))
    assert np.array_equal(with_sound_of(own, clip_of(np.zeros(6400)), 0.0).sound, own.sound)


def test_a_flip_mirrors_left_and_right_alone():
    faces = dot(20, 30)
    assert np.array_equal(flipped(flipped(faces)), faces)
    assert centre(flipped(faces)[1]) == (20, 111 - 30)


def test_a_crop_is_enlarged_to_the_whole():
    """A place at (row, column) of the face is at (place - corner) * 112 / side of its part."""
    part = enlarged(dot(50, 60), 20, 10, 84)
    assert part.shape == (2, 112, 112)
    scale = 112 / 84
    expected = [(place + 0.5 - corner) * scale - 0.5 for place, corner in ((50, 10), (60, 20))]
    assert centre(part[0]) == pytest.approx(expected, abs=0.1)
    assert part[0].sum() == pytest.approx(dot(50, 60)[0].sum() * scale**2, rel=0.03)


def test_the_smallest_crop_is_a_pixel():
    augment = Augment(flip=0, crop=1, rotate=0, foreign_sound=0, least_crop=1e-6)
    random = np.random.default_rng(0)
    clip = clip_of(noise(100, 0, 2), dot(50, 60))
    shown = [one.faces for one in augmented([clip] * 1500, augment, random)]
    assert any((faces == faces[0, 0, 0]).all() for faces in shown)


@pytest.mark.parametrize("degrees", [15, -15, 7])
def test_a_rotation_turns_around_the_centre(degrees):
    turned = rotated(dot(56, 86), degrees)[1]
    angle = np.radians(degrees)
    expected = 56 - 30 * np.sin(angle), 56 + 30 * np.cos(angle)  # counter-clockwise, rows go down
    assert centre(turned) == pytest.approx(expected, abs=0.1)
    assert rotated(np.full((1, 112, 112), 255, np.uint8), 15)[0, 0, 0] == 0


def test_nothing_is_changed_for_validation():
    clips = [counted(k, 0, 10) for k in range(4)]
    same = augmented(clips, Augment.none, np.random.default_rng(0))
    for one, other in zip(clips, same, strict=True):
        assert np.array_equal(one.faces, other.faces)
        assert np.array_equal(one.sound, other.sound)


def many(augment: Augment) -> tuple[list[Clip], list[Clip]]:
    """2000 clips of one frame, all with their own sound, and what becomes of them."""
    random = np.random.default_rng(1)
    face = random.integers(0, 255, (1, 112, 112), np.uint8)
    clips = [clip_of(random.normal(0, 500, 640), face) for _ in range(2000)]
    return clips, augmented(clips, augment, np.random.default_rng(2))


def test_changes_are_as_frequent_as_published():
    """Every second sound; a flip, a crop and a rotation for a quarter of the faces each."""
    clips, changed = many(Augment())
    pairs = list(zip(clips, changed, strict=True))
    sounds = sum(not np.array_equal(one.sound, other.sound) for one, other in pairs)
    flips = sum(np.array_equal(flipped(one.faces), other.faces) for one, other in pairs)
    kept = sum(np.array_equal(one.faces, other.faces) for one, other in pairs)
    black = sum(other.faces[0, 0, 0] == 0 and other.faces[0, -1, -1] == 0 for _, other in pairs)
    spread = 4 * np.sqrt(2000 * 0.25)
    assert sounds == pytest.approx(1000, abs=spread)
    assert flips == pytest.approx(500, abs=spread)
    assert kept == pytest.approx(500, abs=spread)
    assert black == pytest.approx(500, abs=spread + 20)  # by less than a degree no corner is


def test_ratios_are_spread_evenly_over_their_range():
    clips, changed = many(Augment(foreign_sound=1, flip=0, crop=0, rotate=0))
    ratios = [
        level_db(one.sound) - level_db(other.sound.astype(float) - one.sound)
        for one, other in zip(clips, changed, strict=True)
    ]
    assert np.quantile(ratios, [0, 0.5, 1]) == pytest.approx([-5, 0, 5], abs=0.4)
    assert np.std(ratios) == pytest.approx(10 / np.sqrt(12), abs=0.15)


def test_the_foreign_sound_is_never_ones_own():
    clips = [clip_of(np.full(640, 1000 * (k % 2 * 2 - 1))) for k in range(2)]
    changed = augmented(clips * 1, Augment(1, 0, 0, 0, 0, 0.7, 0), np.random.default_rng(0))
    assert all(not one.sound.any() for one in changed), "they are each other's negative"


def test_a_single_clip_keeps_its_sound():
    clip = clip_of(noise(500, 1))
    (changed,) = augmented([clip], Augment(foreign_sound=1), np.random.default_rng(0))
    assert np.array_equal(changed.sound, clip.sound)


def test_one_change_is_the_same_in_all_frames():
    faces = np.repeat(np.random.default_rng(0).integers(0, 255, (1, 112, 112), np.uint8), 3, 0)
    clips = [clip_of(np.zeros(1920), faces)] * 50
    for one in augmented(clips, Augment(), np.random.default_rng(3)):
        assert (one.faces == one.faces[0]).all()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"flip": -0.1}, "flip must be from 0 to 1, got -0.1"),
        ({"foreign_sound": 2}, "foreign_sound must be from 0 to 1"),
        ({"flip": 0.6, "rotate": 0.6, "crop": 0}, "must add up to 1 at most, .* got 1.2"),
        ({"least_snr_db": 6}, "least_snr_db must not be above most_snr_db, got 6 and 5"),
        ({"most_snr_db": float("inf")}, "least_snr_db must not be above"),
        ({"least_crop": 1.0}, "least_crop must be above 0, below 1, got 1.0"),
        ({"most_degrees": 181}, "most_degrees must be from 0 to 180, got 181"),
    ],
)
def test_options_out_of_range_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Augment(**values)
