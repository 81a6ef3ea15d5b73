"""The public interface for plugins. Names that are not here may change with any version.

`asdkit.testing` has the checks that a component must pass; see docs/plugins.md.
"""

from .core.analysis.features import mfcc
from .core.boxes import iou, pairs
from .core.bundle import Bundle
from .core.component import BuiltMember, Component, Context, Member, Settled
from .core.contracts import (
    Cutter,
    Dataset,
    Detector,
    Embedder,
    FaceContext,
    FollowedByScorer,
    FollowingScorer,
    ScalingDetector,
    Scorer,
    ShiftingScorer,
    Tracker,
    Vad,
    VoiceEmbedder,
    Writer,
)
from .core.decisions.segments import inside, mask
from .core.device import read_device
from .core.errors import (
    AsdError,
    ConfigError,
    DeviceError,
    InputError,
    MissingExtraError,
    OutputError,
    PluginError,
    WeightsError,
)
from .core.exportable import Exportable, Graph, Tensor
from .core.files import whole
from .core.hookspecs import hookimpl
from .core.labelled_clip import LabelledClip
from .core.labels import Judged, LabelledFace, LabelledVideo, Measure, Published
from .core.landmarks import FaceTemplate
from .core.matching import Label, judge_matches, match
from .core.progress import report
from .core.result import Result, VideoInfo
from .core.scenes import Scene, SceneFace, SceneScorer, alone
from .core.trainable import Recipe, Trainable
from .core.types import (
    CLIP_FRAMES,
    FACE_SIZE_PX,
    GRID_FPS,
    PORTRAIT_SIZE_PX,
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Clip,
    Detections,
    Scores,
    Shot,
    Spans,
    Track,
    TrackPiece,
)
from .core.weights import Weights, chosen_path, locate, note

__all__ = [
    "CLIP_FRAMES",
    "FACE_SIZE_PX",
    "GRID_FPS",
    "PORTRAIT_SIZE_PX",
    "SAMPLES_PER_FRAME",
    "SAMPLE_RATE",
    "AsdError",
    "BuiltMember",
    "Bundle",
    "Clip",
    "Component",
    "ConfigError",
    "Context",
    "Cutter",
    "Dataset",
    "Detections",
    "Detector",
    "DeviceError",
    "Embedder",
    "Exportable",
    "FaceContext",
    "FaceTemplate",
    "FollowedByScorer",
    "FollowingScorer",
    "Graph",
    "InputError",
    "Judged",
    "Label",
    "LabelledClip",
    "LabelledFace",
    "LabelledVideo",
    "Measure",
    "Member",
    "MissingExtraError",
    "OutputError",
    "PluginError",
    "Published",
    "Recipe",
    "Result",
    "ScalingDetector",
    "Scene",
    "SceneFace",
    "SceneScorer",
    "Scorer",
    "Scores",
    "Settled",
    "ShiftingScorer",
    "Shot",
    "Spans",
    "Tensor",
    "Track",
    "TrackPiece",
    "Tracker",
    "Trainable",
    "Vad",
    "VideoInfo",
    "VoiceEmbedder",
    "Weights",
    "WeightsError",
    "Writer",
    "alone",
    "chosen_path",
    "hookimpl",
    "inside",
    "iou",
    "judge_matches",
    "locate",
    "mask",
    "match",
    "mfcc",
    "note",
    "pairs",
    "read_device",
    "report",
    "whole",
]
