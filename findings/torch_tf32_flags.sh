#!/usr/bin/env bash
# PyTorch 2.14.1: turning TF32 off for a while, where the caller has turned it on by the newer flags.
#
# One would guess that within `torch.backends.cudnn.flags(allow_tf32=False)` convolutions are float32.
# In fact, after `torch.backends.fp32_precision = "tf32"`, which PyTorch recommends since 2.9, the flag of
# convolutions says "tf32" within the block too; and leaving the block raises, since the old flag cannot be
# read where a new one contradicts it. So numbers that should match a reference on the CPU to 1e-4 are
# rounded to 10 bits of mantissa, or a program ends that did nothing wrong.
#
# Output seen:
#   within the block: conv.fp32_precision=tf32
#   leaving it: RuntimeError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet torch==2.14.1 numpy==2.4.6
"$work/env/bin/python" - <<'END' | tee "$work/seen"
import torch

torch.backends.fp32_precision = "tf32"
cudnn = torch.backends.cudnn
try:
    with cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=False):
        print(f"within the block: conv.fp32_precision={cudnn.conv.fp32_precision}")
    print("leaving it: nothing")
except RuntimeError:
    print("leaving it: RuntimeError")
END
diff "$work/seen" - <<'END'
within the block: conv.fp32_precision=tf32
leaving it: RuntimeError
END
echo "as stated"
