"""What plugins of several kinds share: PyTorch, ONNX Runtime, checkpoints, resizing."""
