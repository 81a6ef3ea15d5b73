"""The options of `asd export`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import DictConfig

from ..core.analysis.answers import asked
from ..core.config.chosen import Chosen, choose
from ..core.config.compose import settings_of
from ..core.config.options import check_device_name, check_folder
from ..core.config.schemas import App, names
from ..core.config.values import make
from ..core.errors import PluginError
from ..core.exportable import PRECISIONS, Exportable
from ..core.registry import registry
from ..core.spelling import one_of

LOWEST_OPSET = 18
"""The lowest opset that PyTorch's exporter supports."""


@dataclass(frozen=True)
class ExportOptions:
    """The options of an export that belong to no component.

    Attributes:
        output: Folder for the bundle; if not given, one in the cache, which for published
            weights in fp32 is where scorer=NAME_onnx looks.
        overwrite: Replace the bundle that is in that folder.
        precision: fp32; fp16, for GPUs; or int8, for CPUs, which changes the scores a little.
        opset: Version of the ONNX operators, 18 or higher; a lower one runs in older runtimes.
        calibration: With precision=int8, a video of people who talk, to calibrate and to judge
            by; a clip made on the spot if not given.
        device: Where the proof runs the graphs: auto, cpu, cuda or cuda:N.
        threads: CPU threads a library may use; its own choice if not given.
    """

    output: str | None = None
    overwrite: bool = False
    precision: str = "fp32"
    opset: int = LOWEST_OPSET
    calibration: str | None = None
    device: str = "cpu"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_folder(self.output)
        if self.precision not in PRECISIONS:
            raise ValueError(one_of("precision", self.precision, PRECISIONS))
        if self.opset < LOWEST_OPSET:
            raise ValueError(f"opset must be {LOWEST_OPSET} or higher, but got {self.opset}")
        if self.calibration is not None and self.precision != "int8":
            raise ValueError("calibration is read with precision=int8 only")
        check_device_name(self.device)
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")


_ABOUT = """\
asd export [OPTION=VALUE ...]
asd export check FOLDER [OPTION=VALUE ...]

Writes a scorer's network as a bundle: ONNX graphs that run without PyTorch, and a manifest that
says what they are. A bundle is put in place only if its graphs give PyTorch's numbers; check
repeats that proof, wherever the bundle goes. To use one:
asd run FILE scorer=talknet_onnx scorer.weights=FOLDER (or lr_asd_onnx, light_asd_onnx)

Several at once: asd export --multirun precision=fp32,int8 'output=talknet_${precision}'
"""
EXPORT = App("export", ExportOptions, ("scorer",), _ABOUT)


@dataclass(frozen=True)
class ExportPlan:
    """The plan of an export.

    Attributes:
        options: The options that belong to no component.
        scorer: The scorer and its weights.
    """

    options: ExportOptions
    scorer: Chosen

    def network(self) -> Exportable:
        """The scorer's network with its weights.

        Raises:
            PluginError: The scorer has no network to export, or fails to hand it out.
            AsdError: PyTorch or the weights are not available.
        """
        if self.scorer.component.export is None:
            exportable = [c.name for c in registry().of_kind("scorer") if c.export]
            raise PluginError(
                f"scorer={self.scorer.component.name} has no network to export; these have: "
                f"{', '.join(exportable)}"
            )
        name = self.scorer.in_words
        with asked(name):
            network = self.scorer.component.export(self.scorer.config)
        if not isinstance(network, Exportable):
            raise PluginError(
                f"{name} must be exported as an Exportable, but was as a {type(network).__name__}"
            )
        return network


def make_export_plan(config: DictConfig) -> ExportPlan:
    """Check a composed configuration and find its scorer.

    Raises:
        ConfigError: A value is missing or out of range.
        PluginError: The scorer does not exist.
    """
    settings = settings_of(EXPORT, config)
    scorer = choose("scorer", settings["scorer"])
    own = {name: settings[name] for name in names(ExportOptions)}
    return ExportPlan(make(ExportOptions, own), scorer)
