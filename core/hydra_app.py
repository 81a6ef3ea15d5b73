"""Runs a command as a Hydra application: overrides, --cfg, --multirun, sweepers, completion."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from .components import registry
from .console import say
from .errors import AsdError, ConfigError
from .pipeline import RESULTS_FOLDER
from .schemas import CONFIG_MODULE, App, explained, install


def run_app(
    app: App,
    words: list[str],
    job: Callable[[DictConfig, str | None], object],
    video: str | None = None,
) -> None:
    """Run a job as a Hydra app, so that all of Hydra's features work.

    Hydra prints tracebacks of its own unless told to raise, and adds a line of its own when a
    job raises; so a single job's error is carried past it.

    Args:
        app: The application.
        words: The arguments, overrides and Hydra's flags.
        job: Is called with what was composed and, in a multirun, the folder of this job.
        video: The video, if it was named as a plain argument.

    Raises:
        AsdError: The arguments do not fit, or the job failed; a multirun exits with 2 instead,
            after saying what failed.
    """
    install(app, registry(), video)
    OmegaConf.register_new_resolver("asd_sweep_dir", _sweep_folder, use_cache=True, replace=True)
    os.environ["HYDRA_FULL_ERROR"] = "1"
    failures: list[AsdError] = []
    started = False

    def task(config: DictConfig) -> None:
        nonlocal started
        started = True
        hydra_config = HydraConfig.get()
        several = hydra_config.mode == RunMode.MULTIRUN
        folder = hydra_config.runtime.output_dir if several else None
        if several:
            print(f"asd: job {hydra_config.job.num}: {hydra_config.job.override_dirname}")
        try:
            job(config, folder)
        except AsdError as error:
            failures.append(error)
            if several:
                say(error)
                raise  # marks this job as failed; the others go on

    sys.argv = [sys.argv[0], *words]
    try:
        hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name=app.name)(
            task
        )()
    except AsdError:
        sys.exit(2)  # of a multirun, and said already
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise explained(error) from error
    except ValueError as error:
        if started:
            raise
        raise ConfigError(str(error)) from error
    if failures:
        raise failures[0]


def _sweep_folder(output: str | None) -> str:
    """The folder of a multirun, in which each job has one of its own."""
    if output:
        return output
    now = datetime.now().astimezone()
    return str(Path(RESULTS_FOLDER, "multirun", now.strftime("%Y-%m-%d_%H-%M-%S")))
