"""Finds the component that a configuration node names, with its parameters and calibration."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.answers import asked, shown
from ..component import CALIBRATION, BuiltMember, Component, Context, Member, Settled
from ..contracts import methods
from ..errors import AsdError, ConfigError, PluginError
from ..files import expanded
from ..registry import registry
from ..spelling import guess
from .compose import node_of
from .schemas import SHIPPED, names, offer
from .values import make

if TYPE_CHECKING:
    from ..decisions.calibration import Calibration

NO_CONTEXT: Mapping[str, Any] = {"name": "none"}
"""The context by which no score is changed."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """A component and the parameters it was chosen with.

    Attributes:
        component: The component.
        config: Its parameters, an instance of `component.config`.
        calibration: Scorers only: the calibration of its probabilities, if any.
        calibration_path: The file of the calibration.
        members: The components that it is made of, if any.
        called: The option and the value by which the user chose it as a member of another one.
    """

    component: Component
    config: Any
    calibration: Calibration | None = None
    calibration_path: Path | None = None
    members: tuple[Chosen, ...] = ()
    called: str = ""

    @property
    def in_words(self) -> str:
        """The component by its option and package; see `core.registry.Registry.in_words`."""
        return registry().in_words(self.component)

    def whole(self) -> Iterator[Chosen]:
        """It, and all that it is made of, to any depth."""
        yield self
        for member in self.members:
            yield from member.whole()

    def named_files(self) -> dict[str, Path]:
        """By parameter: the files that its parameters name, as far as they are there."""
        values = vars(self.config).items()
        named = {name: expanded(value) for name, value in values if isinstance(value, str)}
        # A text that is no file may be too long for the system, which Path.is_file() reports.
        return {name: path for name, path in named.items() if os.path.isfile(path)}  # noqa: PTH113

    def build(self, context: Context) -> Any:
        """Build the component. Its calibration is applied later, in `core.concluding`.

        Raises:
            AsdError: The component cannot be built, or what was built is none of its kind.
        """
        members = tuple(one._built(context) for one in self.members)
        with asked(self.in_words):
            part = self.component.build(self.config, replace(context, members=members))
        if part is None and self.component.name == "none":
            return None
        return _checked_part(self.in_words, self.component.kind, part)

    def _built(self, context: Context) -> BuiltMember:
        words = f"{self.called}: {self.in_words}" if self.called else self.in_words
        with _about(self.called):
            return BuiltMember(words, self.build(context))


@contextmanager
def _about(called: str) -> Iterator[None]:
    """Let errors begin with what the user called the member of a component, if anything."""
    try:
        yield
    except AsdError as error:
        if called:
            error.what = f"{called}: {error.what}"
        raise


def _checked_part(name: str, kind: str, part: Any) -> Any:
    """Check what the `build` of a component returned.

    Args:
        name: The component in words.
        kind: Its kind.
        part: The value it returned.

    Raises:
        PluginError: The value lacks a method of its kind, or has a `device` that is not text.
    """
    with asked(name):
        missing = [method for method in methods(kind) if not callable(getattr(part, method, None))]
        device = getattr(part, "device", "")
    if missing:
        raise PluginError(
            f"{name} must be built as an object with the method {missing[0]}, but its build "
            f"returned {shown(part)}"
        )
    if not isinstance(device, str):
        raise PluginError(
            f"{name} must say in its attribute device which it uses, as text such as 'cpu' or "
            f"'cuda:0', but it is {shown(device)}"
        )
    return part


def read_calibration(
    path: Path, scorer: str, config: Any, context: Mapping[str, Any] = NO_CONTEXT
) -> Calibration:
    """Read the calibration of a scorer; warn if it was fitted with others, or in another context.

    Raises:
        ConfigError: The file is not a calibration, or of another scorer.
    """
    from ..decisions.calibration import Calibration

    calibration = Calibration.read(path)
    weights = getattr(config, "weights", None)
    if calibration.scorer != scorer:
        raise ConfigError(
            f"scorer.calibration: {path} was fitted on scorer={calibration.scorer}, not {scorer}",
            f"Fit one with: asd calibrate scorer={scorer} dataset=NAME",
        )
    if calibration.weights != weights:
        _log.warning(
            "%s was fitted with scorer.weights=%s, not %s; unless these are the same, its "
            "probabilities are off",
            path,
            calibration.weights,
            weights,
        )
    elif not calibration.has_windows_of(config):
        _log.warning(
            "%s was fitted with scorer.window_seconds=%s, so its probabilities are off",
            path,
            list(calibration.window_seconds or ()),
        )
    if not calibration.was_fitted_with(context):
        _log.warning(
            "%s was fitted with context=%s, so its probabilities are off",
            path,
            (calibration.context or {}).get("name", "none"),
        )
    return calibration


def _shipped(
    paths: Iterable[Path], config: Any, context: Mapping[str, Any]
) -> tuple[Calibration | None, Path | None]:
    """The shipped calibration, and its file, fitted with the configured windows and context."""
    from ..decisions.calibration import Calibration

    for path in paths:
        calibration = Calibration.read(path)
        if calibration.has_windows_of(config) and calibration.was_fitted_with(context):
            return calibration, path
    return None, None


def _settled(component: Component, config: Any) -> Settled:
    """Call a scorer's `settle`, and check what it returns.

    Raises:
        PluginError: It failed, or returned anything but parameters and calibrations' files.
    """
    name = registry().in_words(component)
    assert component.settle
    with asked(name):
        answer = component.settle(config)
    fits = isinstance(answer, tuple) and len(answer) == len(Settled._fields)
    if not fits or not isinstance(answer[0], component.config) or not _are_files(answer[1]):
        raise PluginError(
            f"{name} must settle its parameters with asdkit.plugin.Settled, of a "
            f"{component.config.__name__} and a tuple of Paths, but answered {answer!r}"
        )
    return Settled(*answer)


def _are_files(paths: Any) -> bool:
    return isinstance(paths, tuple) and all(isinstance(path, Path) for path in paths)


def choose(
    kind: str,
    node: Any,
    key: str = "",
    *,
    called: str = "",
    context: Mapping[str, Any] = NO_CONTEXT,
) -> Chosen:
    """The component that a node of the configuration names, with its parameters.

    Args:
        kind: Kind of component.
        node: The component's `name` and its parameters, as plain values.
        key: Key of the node, if it is not the kind.
        called: See `Chosen.called`.
        context: For a scorer: the context's name and parameters, as plain values. A calibration
            that is shipped for the scorer has to have been fitted with it; one that was asked for
            should, which is warned of.

    Raises:
        ConfigError: No name, or a parameter that is unknown or out of range.
        PluginError: There is no such component.
    """
    key = key or kind
    if not isinstance(node, dict) or not isinstance(node.get("name"), str):
        raise ConfigError(f"{key} names no component", f"Choose one, as in {kind}=NAME")
    component = registry().find(kind, node["name"])
    parameters = {name: value for name, value in node.items() if name != "name"}
    file = parameters.pop(CALIBRATION, SHIPPED) if kind == "scorer" else None
    if file is not None and not isinstance(file, str):
        raise ConfigError(f"{key}.{CALIBRATION} must be the path of a file, got {file!r}")
    for name in parameters:
        if name not in names(component.config):
            if called:
                raise ConfigError(
                    f"{kind}={component.name} takes no {name}", f"Name it without {name}"
                )
            raise ConfigError(
                f"There is no option {key}.{name} with {kind}={component.name}",
                guess(name, names(component.config), offer(names(component.config))),
            )
    shipped: tuple[Path, ...] = ()
    with asked(registry().in_words(component), parameters=True):
        config = make(component.config, parameters, key)
    if component.settle:
        config, shipped = _settled(component, config)
    members = _members(component, config, key)
    chosen = Chosen(component, config, members=members, called=called)
    if file is None:
        return chosen
    path: Path | None
    if file == SHIPPED:
        calibration, path = _shipped(shipped, config, context)
    else:
        path = expanded(file)
        calibration = read_calibration(path, component.name, config, context)
    return replace(chosen, calibration=calibration, calibration_path=path)


def _members(component: Component, config: Any, key: str) -> tuple[Chosen, ...]:
    """The components that a component with these parameters is made of.

    Raises:
        ConfigError, PluginError: As for `choose`, or it does not name components.
    """
    if component.members is None:
        return ()
    name = registry().in_words(component)
    with asked(name):
        answer = tuple(component.members(config))
    for member in answer:
        if not isinstance(member, Member):
            raise PluginError(
                f"{name} must name its members with asdkit.plugin.Member, but named {shown(member)}"
            )
    return tuple(_member(component, member, key) for member in answer)


def _member(owner: Component, member: Member, key: str) -> Chosen:
    """A member of a component; errors begin with what the user called it, if anything."""
    kind, name, parameters, called = member
    plain = {CALIBRATION: None} if kind == "scorer" else {}
    with _about(called):
        own = owner.name if kind == owner.kind else None
        known = [one for one in registry().choices(kind) if one != own]
        node = node_of(kind, name) if name in known else {"name": own}
        if node["name"] == own:
            raise PluginError(
                f"There is no {kind} {name!r} to make {owner.kind}={owner.name} of; "
                f"there are {', '.join(known)}",
                guess(name, known, registry().failure_hint()),
            )
        return choose(kind, {**node, **parameters, **plain}, key, called=called)
