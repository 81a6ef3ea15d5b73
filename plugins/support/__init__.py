"""Helpers shared by plugins of several kinds: PyTorch, ONNX Runtime and checkpoints."""
