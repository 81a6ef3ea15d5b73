"""The floor that the benchmark of GPUs compares with, and what it says without a GPU."""

from __future__ import annotations

import numpy as np
import pytest
from extras import torch

pytest.importorskip("onnxruntime")

import asdkit
from asdkit.benchmarks import gpu
from asdkit.benchmarks.floor import Rates, Work, count, rates
from asdkit.plugins.support.pytorch import inference

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_work_of_a_convolution_and_a_product_is_counted():
    conv = torch.nn.Conv2d(3, 4, 3, bias=False)
    linear = torch.nn.Linear(5, 6, bias=False)

    def compute():
        with inference():
            conv(torch.zeros(2, 3, 8, 8)).relu()
            linear(torch.zeros(7, 5))

    macs = 2 * 4 * 6 * 6 * 3 * 3 * 3 + 7 * 5 * 6
    values = 2 * 3 * 8 * 8 + 4 * 3 * 3 * 3 + 2 * 4 * 6 * 6 + 7 * 5 + 5 * 6 + 7 * 6
    assert count(compute) == Work(2 * macs, 4 * values)
    assert count(compute).per(2) == Work(macs, 2 * values)


def test_the_work_of_a_detector_is_that_of_its_network():
    detector = asdkit.load("detector", "mtcnn", device="cpu")
    frames = np.zeros((2, 120, 160, 3), np.uint8)
    one, two = (count(lambda n=n: detector.detect(frames[:n], range(n))) for n in (1, 2))
    assert one.flops > 0
    assert two.flops == 2 * one.flops
    assert one.bytes < two.bytes < 2 * one.bytes  # the weights are read once for both


def test_the_floor_is_that_of_what_takes_longer():
    machine = Rates(flops=1e12, bytes=1e9, item_bytes=4)
    assert machine.floor_s(Work(2e12, 1e9)) == (2.0, "compute")
    assert machine.floor_s(Work(2e12, 3e9)) == (3.0, "memory")
    halved = Rates(flops=1e12, bytes=1e9, item_bytes=2)
    assert halved.floor_s(Work(1e12, 3e9)) == (1.5, "memory")


def test_rates_are_those_of_what_was_computed(monkeypatch):
    monkeypatch.setattr("asdkit.benchmarks.floor._MATRIX", {"cpu": 100})
    monkeypatch.setattr("asdkit.benchmarks.floor._COPIED_BYTES", {"cpu": 1000})
    monkeypatch.setattr("asdkit.benchmarks.floor.best_s", lambda compute, device: 2.0)
    assert rates("cpu", torch.float32) == Rates(2 * 100**3 / 2, 1000.0, 4)
    assert rates("cpu", torch.float16) == Rates(2 * 100**3 / 2, 1000.0, 2)


def test_a_row_tells_the_rate_and_the_distance_from_the_floor():
    row = gpu.measured("mtcnn", lambda: None, 10, "cpu", (1e-3, "compute"))
    assert 0 < row.seconds < 1
    said = str(gpu.Row("mtcnn", 0.004, 0.001, "compute")).split()
    assert said == ["mtcnn", "250", "4.000", "1.0000", "compute", "4.0x"]


def test_without_cuda_it_says_so_and_exits_2(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as caught:
        gpu.main()
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"benchmarks.gpu: PyTorch {torch.__version__} sees no CUDA device\n"


def test_how_the_tests_of_a_checkout_ended_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)  # coverage is asked of asdkit's own tests
    ini = "[pytest]\nmarkers = gpu: needs CUDA\n"
    (tmp_path / "pytest.ini").write_text(ini)
    marked = (
        "import pytest\n@pytest.mark.gpu\ndef test_one():\n    assert {}\ndef test_two(): 1 / 0\n"
    )
    (tmp_path / "test_it.py").write_text(marked.format("True"))
    assert gpu.run_tests(tmp_path)
    assert "1 passed, 1 deselected" in capsys.readouterr().out
    (tmp_path / "test_it.py").write_text(marked.format("0 == 1"))
    assert not gpu.run_tests(tmp_path)
    assert "FAILED test_it.py::test_one" in capsys.readouterr().out
