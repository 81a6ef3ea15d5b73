"""Expands a sweep to jobs: leaves out what a part has no use for, and names the jobs' folders.

Hydra's own sweeper gives every job of `context=none,others context.weight=0.5` the weight, also the
one whose context has none, which fails. Here a parameter of a part, or of a writer, is left out of
the jobs whose part lacks it, unless it is left out of all: then it is an error, as in a single run.
Jobs that are the same after that are run once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from ..component import KINDS
from ..config.refusals import no_option
from ..errors import AsdError
from .job_names import Value, job_names
from .overrides import is_override, key_of

_CHOOSING = (*(kind for kind in KINDS if kind != "writer"), "writers", "experiment")
"""The options that say which parts there are."""
_NUMBERED = "${hydra.job.num}"
"""The folder of a job in conf/hydra_settings.yaml, in place of which it gets its name."""
_SHARED = "."
"""The folder of the jobs in conf/batch.yaml: all that differ in nothing but their shard."""
_SHARD = "shard"
_NULL = "asdkit_null"
"""What stands for null as the only choice, which Hydra's grammar does not have."""
Job = tuple[str, ...]
"""The overrides of a job."""


@contextmanager
def fitting_sweeper() -> Iterator[None]:
    """Let Hydra have `PartsSweeper` in place of its basic sweeper while the block runs.

    Other sweepers, such as Optuna's, know no combinations in advance: to them every parameter is
    of every job, and folders have numbers.
    """
    Plugins.instance()
    there: dict[type, Any] = Singleton._instances
    before = there[Plugins]
    there[Plugins] = object.__new__(_Plugins)
    there[Plugins].__dict__ = before.__dict__
    try:
        yield
    finally:
        there[Plugins] = before


def held_back(words: Sequence[str]) -> list[str]:
    """The arguments of Hydra, with parameters of the parts that a multirun tries as choices of one.

    Hydra sets all but what is to be tried in a configuration of the multirun as such, which has the
    default parts: it would refuse the parameters of others.
    """
    listed = list(words)
    if not {"-m", "--multirun"}.intersection(listed) or "hydra/sweeper" in map(key_of, listed):
        return listed
    parsed = {word: _parsed(word) for word in listed if is_override(word)}
    if not _chooses_several(one for one in parsed.values() if one):
        return listed
    return [_as_choice(word, parsed.get(word)) for word in listed]


def _parsed(word: str) -> Override | None:
    """An override as Hydra understands it; None if it does not."""
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None  # Hydra will report the error


def _as_choice(word: str, override: Override | None) -> str:
    key, _, value = word.partition("=")
    if override is None or override.is_sweep_override() or not value or not _is_parameter(key):
        return word
    return f"{key}=choice({_NULL if override.value() is None else value})"


def _with_null(word: str) -> str:
    """An override of a job, with null where `_as_choice` put something in its place."""
    key, _, value = word.partition("=")
    return f"{key}=null" if value == _NULL else word


class _Plugins(Plugins):
    def instantiate_sweeper(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> Sweeper:
        """The sweeper that a configuration names; called by Hydra."""
        made = super().instantiate_sweeper(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        # By its name, as Hydra may have loaded the module of its plugin a second time.
        if type(made).__module__ == BasicSweeper.__module__:
            fitting: PartsSweeper = object.__new__(PartsSweeper)
            fitting.__dict__ = made.__dict__
            return fitting
        return made


class PartsSweeper(BasicSweeper):
    """Hydra's basic sweeper with what the module's docstring tells."""

    def split_arguments(  # type: ignore[override]  # of Hydra's class it is a static method
        self, overrides: list[Override], max_batch_size: int | None
    ) -> list[list[list[str]]]:
        """The jobs in batches, each as its overrides; called by Hydra.

        Raises:
            AsdError: A parameter is of no job's part; or a part does not exist.
        """
        (every,) = BasicSweeper.split_arguments(overrides, None)
        given = [tuple(map(_with_null, job)) for job in every]
        fitted = fitted_jobs(given, self._composed) if _chooses_several(overrides) else given
        jobs = list(dict.fromkeys(fitted))
        self._tell(given, fitted, jobs)
        named = [
            [*job, f"hydra.sweep.subdir={_quoted(name)}"] if name else list(job)
            for job, name in zip(jobs, self._folders(jobs), strict=True)
        ]
        return list(BasicSweeper.split_overrides_to_chunks(named, max_batch_size)) or [[]]

    def _composed(self, words: Sequence[str]) -> DictConfig:
        assert self.hydra_context is not None
        assert self.config is not None
        loader = self.hydra_context.config_loader
        return loader.load_sweep_config(self.config, list(words))

    def _folders(self, jobs: Sequence[Job]) -> list[str]:
        """The names of the jobs' folders; empty for one that keeps the folder it has."""
        assert self.config is not None
        hydra: Any = OmegaConf.to_container(self.config.hydra.sweep, resolve=False)
        shared = hydra["subdir"] == _SHARED
        if hydra["subdir"] not in (_NUMBERED, _SHARED) or (shared and _own_output(jobs)):
            return [""] * len(jobs)
        aside = {_SHARD} if shared else set()
        values = [_values(job, aside) for job in jobs]
        alike = {repr(one): one for one in values}
        names = dict(zip(alike, job_names(list(alike.values())), strict=True))
        return [names[repr(one)] for one in values]

    def _tell(self, given: Sequence[Job], fitted: Sequence[Job], jobs: Sequence[Job]) -> None:
        """Say what is left out, unless it is to be quiet."""
        assert self.config is not None
        if self.config.get("quiet"):
            return
        without: dict[str, int] = {}
        for before, after in zip(given, fitted, strict=True):
            for key in {key_of(word) for word in before}.difference(map(key_of, after)):
                without[key] = without.get(key, 0) + 1
        for key, number in sorted(without.items()):
            print(f"asd: {key} is left out of {number} of {len(given)} jobs, whose part has none")
        if len(jobs) < len(given):
            print(f"asd: {len(given) - len(jobs)} of {len(given)} jobs are the same as others")


def fitted_jobs(jobs: Sequence[Job], compose: Callable[[Job], DictConfig]) -> list[Job]:
    """Jobs without the parameters that their parts do not have.

    Args:
        jobs: The overrides of each.
        compose: Composes a configuration of those among them that choose parts.

    Raises:
        AsdError: A parameter is of no job's part; or a part does not exist.
    """
    configs: dict[Job, DictConfig] = {}
    fitted: list[Job] = []
    for job in jobs:
        chosen = tuple(word for word in job if key_of(word) in _CHOOSING)
        if chosen not in configs:
            configs[chosen] = compose(chosen)
        fitted.append(tuple(word for word in job if not _lacks(configs[chosen], word)))
    used = {key_of(word) for job in fitted for word in job}
    for key in (key_of(word) for job in jobs for word in job):
        if key not in used:
            raise _of_no_job(key, configs.values())
    return fitted


def _chooses_several(overrides: Iterable[Override]) -> bool:
    """Whether a sweep is over parts, so that they may have different parameters."""
    return any(one.is_sweep_override() and one.key_or_group in _CHOOSING for one in overrides)


def _is_parameter(key: str) -> bool:
    """Whether an option belongs to a component."""
    group, dot, rest = key.partition(".")
    return bool(dot) and group in _CHOOSING and (group != "writers" or "." in rest)


def _lacks(config: DictConfig, word: str) -> bool:
    """Whether an override sets a parameter that the parts of a configuration do not have."""
    if not _is_parameter(word.partition("=")[0]):  # nor what + adds or ~ deletes
        return False
    *groups, name = key_of(word).split(".")
    node: Any = config
    for group in groups:
        node = node[group] if group in _keys(node) else None
    return name not in _keys(node)


def _keys(node: Any) -> list[Any]:
    return list(node) if isinstance(node, DictConfig) else []


def _of_no_job(key: str, configs: Iterable[DictConfig]) -> AsdError:
    """The error for a parameter that no part of the sweep has."""
    group, _, _ = key.rpartition(".")
    found = [OmegaConf.select(config, group) for config in configs]
    nodes = [node for node in found if node is not None]  # a writer may be in none
    known = dict.fromkeys(str(name) for node in nodes for name in _keys(node) if name != "name")
    return no_option(key, known if nodes else None)


def _own_output(jobs: Iterable[Job]) -> bool:
    """Whether `output` refers to options, so that jobs with other settings have another folder."""
    return any(key_of(word) == "output" and "${" in word for job in jobs for word in job)


def _values(job: Job, aside: Iterable[str]) -> dict[str, Value]:
    """The options of a job with their values."""
    found = OverridesParser.create().parse_overrides(list(job))
    return {one.key_or_group: _plain(one.value()) for one in found if one.key_or_group not in aside}


def _plain(value: Any) -> Any:
    """A value that Hydra has parsed as a plain one."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(own) for key, own in value.items()}
    return value


def _quoted(text: str) -> str:
    return str(QuotedString(text, Quote.single).with_quotes())
