"""TalkNet, checkpoint-compatible with the published weights; PyTorch is imported when built."""

from ....core.components import Component
from .scorer import AVA, TALKSET, TalkNetConfig, build

__all__ = ["AVA", "TALKNET", "TALKSET", "TalkNetConfig"]

TALKNET = Component("scorer", "talknet", TalkNetConfig, build, weights=(TALKSET, AVA))
