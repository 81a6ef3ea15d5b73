"""Exports networks from PyTorch to ONNX, reduces precision, and proves that they agree."""
