#!/usr/bin/env bash
# PyTorch 2.14.1's ONNX exporter (torch.export, onnxscript 0.7.2) and a GRU whose length was declared
# dynamic.
#
# One would guess that a graph exported with a dynamic length declares it dynamic throughout, or refuses.
# In fact the output's length is declared to be that of the example, though the graph computes any length
# rightly: ONNX Runtime only warns, and whoever checks declared shapes, or allocates by them, is misled.
#
# Output seen:
#   input ['batch', 'time', 4] output ['batch', 7, 3]
#   length 20 gives (3, 20, 3), right True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet \
    torch==2.14.1 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$work"
"$work/env/bin/python" - 2>/dev/null <<'END' | grep -E "^(input|length)" | tee "$work/seen"
import numpy as np
import onnxruntime
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(4, 3, batch_first=True)

    def forward(self, x):
        return self.gru(x)[0]


net = Net().eval()
batch, time = torch.export.Dim("batch", min=2, max=64), torch.export.Dim("time", min=2, max=1024)
shapes = {"x": {0: batch, 1: time}}
program = torch.onnx.export(net, (torch.randn(2, 7, 4),), dynamo=True, dynamic_shapes=shapes)
program.save("gru.onnx")
session = onnxruntime.InferenceSession("gru.onnx", providers=["CPUExecutionProvider"])
print("input", session.get_inputs()[0].shape, "output", session.get_outputs()[0].shape)
x = torch.randn(3, 20, 4)
(y,) = session.run(None, {"x": x.numpy()})
print(f"length 20 gives {y.shape}, right {np.allclose(y, net(x).detach().numpy(), atol=1e-5)}")
END
diff "$work/seen" - <<'END'
input ['batch', 'time', 4] output ['batch', 7, 3]
length 20 gives (3, 20, 3), right True
END
echo "as stated"
