"""Runs a command as a Hydra application: overrides, --cfg, --multirun, sweepers, completion."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.plugins.config_source import ConfigLoadError
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ..config.compose import CONFIG_MODULE, VERSION_BASE, alone, check_overrides
from ..config.options import RESULTS_FOLDER
from ..config.refusals import explained
from ..config.schemas import App
from ..errors import AsdError, ConfigError
from ..plugin_files import OPTION, load_named_in, load_plugin_files
from ..registry import CONF
from .arguments import take_presets
from .console import say
from .sweeping import fitting_sweeper, held_back

_FULL_ERROR = "HYDRA_FULL_ERROR"
"""With 1 in this variable, Hydra raises errors instead of printing them."""
Job = Callable[[DictConfig, str | None], float | None]
"""Does the work of an application; may return the number that sweepers optimise."""
AtEnd = Callable[[Path, float], None]
"""Called at the end of a multirun, with its folder and its start time."""


class _Task:
    """Called by Hydra for each job; a module-level class, so that launchers can pickle it.

    Args:
        job: Called with the composed configuration and, in a multirun, the folder of this job.

    Attributes:
        failures: The errors of the jobs run in this process.
        started: Whether a job has begun in this process.
    """

    def __init__(self, job: Job) -> None:
        self.failures: list[AsdError] = []
        self.started = False
        self._job = job

    def __call__(self, config: DictConfig) -> float | None:
        """Run a job; return the number that sweepers optimise, if any."""
        self.started = True
        load_plugin_files(config.get(OPTION))  # this may be another process
        hydra_config = HydraConfig.get()
        several = hydra_config.mode == RunMode.MULTIRUN
        folder = hydra_config.runtime.output_dir if several else None
        if several and not config.get("quiet"):
            print(f"asd: job {hydra_config.job.num}: {_name_of(hydra_config)}")
        try:
            return self._job(config, folder)
        except AsdError as error:
            self.failures.append(error)
            if not several:
                return None  # if raised here, Hydra would print a line of its own
            say(error)
            raise  # marks this job as failed; the others go on


def _name_of(hydra_config: Any) -> str:
    """What a job is called: its folder, if that is named by what differs, or its overrides."""
    folder = str(hydra_config.sweep.subdir)
    return folder if "=" in folder else str(hydra_config.job.override_dirname)


class SweepFolder(Callback):
    """Records the folder of a multirun, which only Hydra knows, and its start time."""

    folder: Path | None = None
    began_s = 0.0

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Called by Hydra."""
        with suppress(OmegaConfBaseException):  # not set: Hydra will report it
            SweepFolder.folder = Path(config.hydra.sweep.dir)
        SweepFolder.began_s = time()


def run_app(
    app: App,
    words: list[str],
    job: Job,
    video: str | None = None,
    at_end: AtEnd | None = None,
) -> None:
    """Run a job as a Hydra application, so that all of Hydra's features work.

    Hydra prints tracebacks unless told to raise, and adds a line of its own if a job raises. So
    the error of a single job is stored in the task and raised after Hydra has returned.

    Args:
        app: The application.
        words: The arguments: overrides and Hydra's flags.
        job: Called with the composed configuration and, in a multirun, the folder of this job.
        video: The video, if it was named as a plain argument.
        at_end: See `AtEnd`.

    Raises:
        AsdError: The arguments are invalid, or the job failed. A multirun instead prints the
            failures and exits with 2.
    """
    words, presets = take_presets(words)
    check_overrides(app, words)
    if OPTION in app.keys:
        load_named_in(words)
    with alone(app, video, presets) as store:
        _make_slurm_ready(store)
        with fitting_sweeper():
            _run(app, held_back(words), job, at_end)


def _run(app: App, words: list[str], job: Job, at_end: AtEnd | None) -> None:
    SweepFolder.folder = None
    task = _Task(job)
    failed = False
    argv, full_error = sys.argv, os.environ.get(_FULL_ERROR)
    sys.argv = [argv[0], *words]
    os.environ[_FULL_ERROR] = "1"
    try:
        hydra.main(
            version_base=VERSION_BASE, config_path=f"pkg://{CONFIG_MODULE}", config_name=app.name
        )(task)()
    except AsdError as error:
        if not task.failures:  # a job failed in another process, or none began
            say(error)
        failed = True
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise explained(error, app=app) from error
    except Exception as error:
        if task.started:
            raise
        what, _, _ = str(error).partition(10 * "-")  # submitit appends the end of a log
        raise ConfigError(what or type(error).__name__) from error
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ[_FULL_ERROR]
        else:
            os.environ[_FULL_ERROR] = full_error
    if at_end and SweepFolder.folder:
        at_end(SweepFolder.folder, SweepFolder.began_s)
    if failed:
        sys.exit(2)  # a multirun, whose errors have been printed already
    if task.failures:
        raise task.failures[0]


def _make_slurm_ready(store: ConfigStore) -> None:
    """Merge conf/slurm.yaml into hydra/launcher=submitit_slurm, if that is installed."""
    with suppress(ConfigLoadError):  # not installed
        node = store.load("hydra/launcher/submitit_slurm.yaml").node
        store.store(
            group="hydra/launcher",
            name="submitit_slurm",
            node=OmegaConf.merge(node, OmegaConf.load(CONF / "slurm.yaml")),
            provider="asdkit",
        )


def _sweep_folder(output: str | None) -> str:
    """The folder of a multirun, in which each job has a subfolder."""
    if output:
        return output
    now = datetime.now().astimezone()
    return str(Path(RESULTS_FOLDER, "multirun", now.strftime("%Y-%m-%d_%H-%M-%S")))


# Registered on import, so also in a process that unpickles a task and resolves its configuration.
OmegaConf.register_new_resolver("asd_sweep_dir", _sweep_folder, use_cache=True, replace=True)
