"""`asd calibrate`: a calibration of one scorer, fitted to a labelled dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..config.schemas import CALIBRATION, SHIPPED
from ..decisions.calibration import Calibration, calibrate
from ..errors import ConfigError, OutputError
from ..progress import Progress, silent
from .dataset import DatasetPlan, Tell, build, sights


def fit_calibration(
    plan: DatasetPlan, path: Path, tell: Tell, progress: Progress = silent
) -> Calibration:
    """Fit a calibration and write it to a file.

    Args:
        plan: A plan of `asd calibrate`.
        path: The file.
        tell: Is told, in lines, what has been done.
        progress: Is told how far each video has come.

    Raises:
        AsdError: The dataset, a video or an option is not usable, or the file is there.
    """
    scorer = plan.run.chosen["scorer"]
    plain = replace(scorer, calibration=None, calibration_path=None)
    if path.exists() and not plan.options.overwrite:
        raise OutputError(
            f"{path} is already there", "Choose another with output=FILE, or overwrite=true"
        )
    if plan.settings["scorer"][CALIBRATION] not in (SHIPPED, None):
        raise ConfigError(
            "scorer.calibration is given, but a calibration is fitted without one", "Leave it out"
        )
    plan = replace(plan, run=replace(plan.run, chosen={**plan.run.chosen, "scorer": plain}))
    rows = {}
    for video, sight in sights(plan, build(plan), tell, progress):
        if video.judge is None:
            raise ConfigError(
                f"dataset={plan.dataset.component.name} does not say which face speaks",
                "Calibrate on a dataset with labelled faces",
            )
        rows[video.name] = video.judge(sight.result)
    windows = getattr(scorer.config, "window_seconds", None)
    fitted = calibrate(
        rows,
        scorer.component.name,
        getattr(scorer.config, "weights", None),
        None if windows is None else tuple(windows),
        plan.options.prior,
    )
    fitted.write(path)
    return fitted
