"""Decodes the output of S3FD's network: priors, boxes, and non-maximum suppression.

Boxes are relative here: 0 is the left or upper edge of the picture, 1 the right or lower one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import nms  # type: ignore[import-untyped]

STRIDES_PX = (4, 8, 16, 32, 64, 128)
"""Distance of adjacent cells of each map, in pixels."""
_STRIDES_OF_A_PRIOR = 4
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_FIRST_NMS_THRESHOLD = 0.3
MOST_CANDIDATES = 5000
"""How many boxes of a frame, the most confident, enter suppression."""
MOST_FACES = 750
"""How many faces of a frame, the most confident, are kept after each pass of suppression."""


def priors(
    maps: Sequence[tuple[int, int]], height: int, width: int, device: torch.device
) -> Tensor:
    """The prior box of each cell of the maps, a square around its centre.

    Args:
        maps: Rows and columns of the six maps, finest first.
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
        device: The device of the result.

    Returns:
        (P, 4) float32: centre x, centre y, width, height; priors may reach out of the picture.
    """
    size = torch.tensor([width, height], device=device)
    found = []
    for (rows, columns), stride in zip(maps, STRIDES_PX, strict=True):
        y, x = torch.meshgrid(
            torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"
        )
        centres = (torch.stack([x, y], 2).flatten(0, 1) + 0.5) * stride
        sides = torch.full_like(centres, _STRIDES_OF_A_PRIOR * stride)
        found.append(torch.cat([centres / size, sides / size], 1))
    return torch.cat(found)


def decode(loc: Tensor, priors: Tensor) -> Tensor:
    """Decode the network's boxes (SSD: Liu et al., ECCV 2016, equation 2).

    Args:
        loc: (k, 4) float, shift of the centre and log of the growth, divided by their variances.
        priors: (k, 4) float, centre x, centre y, width, height.

    Returns:
        (k, 4) float: x1, y1, x2, y2, not clipped to the picture.
    """
    centres = priors[:, :2] + loc[:, :2] * _CENTRE_VARIANCE * priors[:, 2:]
    halves = priors[:, 2:] * torch.exp(loc[:, 2:] * _SIZE_VARIANCE) / 2
    return torch.cat([centres - halves, centres + halves], 1)


def pick_faces(
    loc: Tensor,
    confidence: Tensor,
    priors: Tensor,
    score_threshold: float,
    nms_threshold: float,
) -> tuple[Tensor, Tensor]:
    """The faces of one frame, one box each, the most confident first.

    Boxes are suppressed in two passes, as in the published detector: first with the network's own
    threshold, then with the caller's. A single pass would also keep boxes that are suppressed only
    by a box that is itself suppressed.

    Args:
        loc: (P, 4) float, as the network gives it.
        confidence: (P,) float from 0 to 1.
        priors: (P, 4) float.
        score_threshold: A face needs more confidence than this.
        nms_threshold: Intersection over union above which two boxes count as one face.

    Returns:
        (k, 4) boxes x1, y1, x2, y2 and (k,) confidences.
    """
    likely = torch.nonzero(confidence > score_threshold)[:, 0]
    order = confidence[likely].argsort(descending=True, stable=True)
    best = likely[order[:MOST_CANDIDATES]]
    boxes, scores = decode(loc[best], priors[best]), confidence[best]
    for threshold in (max(_FIRST_NMS_THRESHOLD, nms_threshold), nms_threshold):
        kept = nms(boxes, scores, threshold)[:MOST_FACES]
        boxes, scores = boxes[kept], scores[kept]
    return boxes, scores
