"""Gives all tracks of one person, across shots, the same identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..types import Float32, Float64, Track

_NEVER = 1e9
"""A distance so large that no average with distances up to 2 falls below a threshold."""


def identify(
    tracks: Sequence[Track], people: Mapping[str, Float32], max_distance: float
) -> tuple[Track, ...]:
    """Give every track an identity.

    Tracks and named people are clustered agglomeratively with average linkage over cosine
    distances. Two tracks visible in the same frame are never one person, nor are two names.

    Args:
        tracks: The tracks, each with one embedding or more.
        people: By name: the embeddings (m, d) of a known person.
        max_distance: Clusters are merged up to this cosine distance, from 0 to 2, averaged over
            all pairs.

    Returns:
        The tracks with their identities: a name, or "person_0", "person_1" and so on in the order
        in which they appear.
    """
    means = [centre(track.embeddings) for track in tracks] + [centre(v) for v in people.values()]
    starts, ends = (np.array([t.frames[k] for t in tracks], np.int64) for k in (0, -1))
    apart = np.zeros((len(means), len(means)), np.bool_)
    seen = slice(len(tracks))
    apart[seen, seen] = np.maximum.outer(starts, starts) <= np.minimum.outer(ends, ends)
    apart[len(tracks) :, len(tracks) :] = True
    labels = cluster(np.array(means), apart, max_distance)
    names = dict(zip(labels[len(tracks) :], people, strict=True))
    free = (name for name in map("person_{}".format, count()) if name not in people)
    identified = []
    for track, label in zip(tracks, labels[: len(tracks)], strict=True):
        if label not in names:
            names[label] = next(free)
        identified.append(replace(track, identity=names[label]))
    return tuple(identified)


def cluster(vectors: Float64, apart: NDArray[np.bool_], max_distance: float) -> list[int]:
    """Agglomerative clustering with average linkage over cosine distances.

    Args:
        vectors: (n, d) float64, each of length 1.
        apart: (n, n) bool, pairs of rows that must not be in one cluster.
        max_distance: Clusters further apart than this, from 0 to 2, are not merged.

    Returns:
        The cluster number of each row.
    """
    if len(vectors) < 2:
        return list(range(len(vectors)))
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distances = np.clip(1 - np.einsum("id,jd->ij", vectors, vectors), 0, 2)
    distances[apart] = _NEVER
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average")
    return [int(label) for label in fcluster(tree, max_distance, "distance")]


def centre(embeddings: Float32 | Float64) -> Float64:
    """The mean of vectors (m, d), normalised to length 1: (d,); 0 if the mean is."""
    mean = embeddings.astype(np.float64).mean(0)
    length = np.sqrt((mean * mean).sum())
    return np.asarray(mean / length if length else mean, np.float64)
