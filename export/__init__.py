"""PyTorch to ONNX: export, precision, proof."""
