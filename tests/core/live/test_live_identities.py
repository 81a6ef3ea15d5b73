"""Who is who, while faces are being seen."""

from __future__ import annotations

import hops_made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.core.decisions.identities import identify
from asdkit.core.live import who

ANN, BEN, CAT = np.eye(8, dtype=np.float32)[:3]
PEOPLE = {"ann": ANN[None], "ben": BEN[None]}


def near(look, other, share):
    """A look between two, of length 1."""
    mixed = look * (1 - share) + other * share
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def seen(track, begin, end, look, *, shot=0, every=25):
    """A face embedded every second, from its first frame on; `look` may be a look by frame."""
    looks = look if isinstance(look, dict) else dict.fromkeys(range(begin, end, every), look)
    return hops_made.Face(track, shot, begin, np.full(end - begin, 3.0), looks)


def session(*faces, stretches=None):
    end = max(face.end for face in faces)
    shots = {face.shot: (10**6, 0) for face in faces}
    for face in faces:
        first, last = shots[face.shot]
        shots[face.shot] = min(first, face.begin), max(last, face.end)
    return hops_made.Session(
        stretches or [(0, end)], [shots[k] for k in sorted(shots)], list(faces)
    )


def names(session, people=None, *, hop=5, distance=0.5):
    """The last name of each track, as a recorder takes it; and the events."""
    deciding = hops_made.decider(people=people, distance=distance)
    found = hops_made.decided(session, deciding, hop, 5)
    last = {rows.track: rows.name for one in found for rows in one.rows}
    return last, [e for one in found for e in one.events]


def named(events):
    return [(e.track, e.time_s, e.name, e.certain) for e in events if e.event == "named"]


def test_without_an_embedder_nobody_has_a_name():
    last, events = names(session(seen(0, 0, 100, ANN)), PEOPLE, distance=None)
    assert last == {0: None}
    assert not named(events)


def test_a_name_is_provisional_at_first_and_then_stays():
    looks = {0: ANN, 25: ANN, 75: BEN, 100: BEN, 125: BEN}
    last, events = names(session(seen(0, 0, 150, looks)), PEOPLE)
    assert named(events) == [(0, 0.0, "ann", False), (0, 1.0, "ann", True)]
    assert last == {0: "ann"}
    assert {e.name for e in events if e.event in {"speaking", "left"}} == {"ann"}


def test_a_name_may_change_within_two_seconds():
    looks = {0: near(ANN, BEN, 0.6), 10: ANN, 20: ANN}
    last, events = names(session(seen(0, 0, 60, looks)), PEOPLE)
    assert named(events) == [
        (0, 0.0, "ben", False),
        (0, 0.4, "ann", False),
        (0, 0.8, "ann", True),
    ]
    assert last == {0: "ann"}


def test_a_track_that_ends_early_has_its_name_for_good():
    _, events = names(session(seen(0, 0, 20, ANN), seen(1, 20, 60, BEN, shot=1)), PEOPLE)
    assert (0, 0.0, "ann", True) in named(events)


@pytest.mark.parametrize("hop", [1, 5, 25])
def test_who_comes_back_has_the_name_again(hop):
    """Across shots, and after the stream was interrupted."""
    faces = [
        seen(0, 0, 60, CAT),
        seen(1, 60, 120, ANN, shot=1),
        seen(2, 120, 180, near(CAT, BEN, 0.2), shot=2),
        seen(3, 250, 330, CAT, shot=3),
        seen(4, 250, 330, -CAT, shot=3),
    ]
    last, _ = names(session(*faces, stretches=[(0, 180), (250, 330)]), PEOPLE, hop=hop)
    new = last[0]
    assert last == {0: new, 1: "ann", 2: new, 3: new, 4: last[4]}
    assert new != last[4]
    assert new.startswith("person_")


def test_two_who_look_alike_at_once_stay_two():
    """The nearer one is who is known, whichever came first."""
    like = near(ANN, CAT, 0.3)
    for first, second in ((like, ANN), (ANN, like)):
        faces = [seen(0, 0, 100, first), seen(1, 5, 100, second)]
        last, _ = names(session(*faces), PEOPLE)
        assert sorted(last.values()) == ["ann", "person_0"]
        assert last[0 if first is ANN else 1] == "ann"


def test_who_was_there_a_moment_ago_beside_this_face_is_somebody_else():
    faces = [seen(0, 0, 60, CAT), seen(1, 40, 140, {65: CAT, 90: CAT})]
    last, _ = names(session(*faces))
    assert last[0] != last[1]


def test_a_final_name_is_not_taken_by_somebody_nearer():
    faces = [seen(0, 0, 200, near(ANN, CAT, 0.4)), seen(1, 100, 200, ANN)]
    last, _ = names(session(*faces), PEOPLE)
    assert last == {0: "ann", 1: "person_0"}


def test_new_people_do_not_get_the_names_of_known_ones():
    people = {"person_0": ANN[None], "ben": BEN[None]}
    last, _ = names(session(seen(0, 0, 60, CAT), seen(1, 0, 60, ANN)), people)
    assert last == {0: "person_1", 1: "person_0"}


def test_those_unseen_for_longest_are_forgotten_but_for_known_ones(monkeypatch):
    monkeypatch.setattr(who, "MOST_PERSONS", 2)
    looks = np.eye(8, dtype=np.float32)
    faces = [
        seen(n, n * 60, n * 60 + 60, looks[k], shot=n) for n, k in enumerate((0, 3, 4, 5, 5, 3, 0))
    ]
    last, _ = names(session(*faces), {"ann": ANN[None]})
    assert last[0] == last[6] == "ann"
    assert last[3] == last[4]
    assert last[1] != last[5], "forgotten, as two others came since"


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(5, 30))
def test_clear_faces_are_named_as_in_a_run(seed, hop):
    """People far apart, tracks one after another or beside each other."""
    rng = np.random.default_rng(seed)
    looks = np.eye(8, dtype=np.float32)
    faces, at = [], 0
    for shot in range(6):
        end = at + int(rng.integers(10, 80))
        for person in rng.permutation(5)[: int(rng.integers(1, 4))]:
            look = near(looks[person], looks[7], float(rng.uniform(0, 0.2)))
            faces.append(seen(len(faces), at, end, look, shot=shot, every=10))
        at = end
    last, events = names(session(*faces), PEOPLE, hop=hop)
    tracks = [face.as_track() for face in faces]
    wanted = {track.id: track.identity for track in identify(tracks, PEOPLE, 0.5)}
    pairs = {(last[k], wanted[k]) for k in wanted}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert all(a == b for a, b in pairs if b in PEOPLE)
    final = [track for track, _, _, certain in named(events) if certain]
    assert sorted(final) == sorted(wanted), "once each"
