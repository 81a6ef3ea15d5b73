"""`asd plugins`: lists components and presets, and writes a plugin to start from."""

from __future__ import annotations

from ..errors import ConfigError
from ..spelling import guess
from .new_kinds import NEW_KINDS, with_article
from .parser import Parser
from .tables import print_columns

_ABOUT = """\
Lists what can be chosen: the components of each kind and the presets, with the package that each
comes from, what it is, and what it lacks on this machine. With new NAME it writes a plugin to
change, a detector, a scorer and a writer with tests, into the folder asdkit-NAME; with kind=KIND
one component of this kind alone.
"""


def command(words: list[str]) -> None:
    """Run the command with its arguments.

    Raises:
        AsdError: An argument is invalid, or the plugin cannot be written.
    """
    parser = Parser("plugins", _ABOUT, "asd plugins, or asd plugins new NAME [kind=KIND]")
    parser.add_keys(kind=f"with new: one component alone, {', '.join(NEW_KINDS)}")
    parser.add_argument("new", nargs="?", metavar="new", help="write a plugin")
    parser.add_argument("name", nargs="?", metavar="NAME", help="its name, such as my-faces")
    given, keys = parser.read(words)
    kind = keys.get("kind")
    if kind is not None and given[:1] != ["new"]:
        parser.error("takes kind together with new alone")
    if not given:
        _list()
    elif given[0] != "new":
        raise ConfigError(
            f"plugins takes no arguments, or new NAME, but got {' '.join(given)}",
            guess(given[0], ["new"], "Use: asd plugins, or asd plugins new NAME"),
        )
    elif len(given) != 2:
        parser.error(
            f"new takes one name, such as my-faces, but got {' '.join(given[1:]) or 'none'}"
        )
    else:
        _write(given[1], kind)


def _list() -> None:
    from ..component import KINDS
    from ..config.presets import first_comment
    from ..lacking import OWN, Lack, lack_of, remedies
    from ..registry import registry

    found = registry()
    rows = [("kind", "name", "package", "what it is", "missing")]
    lacks = []
    for kind in (*KINDS, "experiment"):
        for name in found.choices(kind):
            provider = found.providers[kind, name]
            lack = Lack()
            if component := found.components.get((kind, name)):
                about = component.about
                lack = lack_of(component, provider.name)
                lacks += [lack] if provider.name == OWN else []
            else:
                about = f"preset: {first_comment(found.presets[kind, name])}".rstrip(": ")
            rows.append((kind, name, f"{provider.name} {provider.version}", about, str(lack)))
    print_columns(rows)
    if lines := remedies(lacks):
        print("\nTo get what is missing:")
        for line in lines:
            print(f"  {line}")
    for label, reason in found.failures.items():
        print(f"\n{label} failed to load: {' '.join(reason.split())}")


def _write(name: str, kind: str | None) -> None:
    from .skeleton import write_skeleton

    folder, part = write_skeleton(name, kind)
    what = with_article(kind) if kind else "a detector, a scorer and a writer, each"
    print(f"{folder} holds {what} called {part}. Go on with:")
    print(f'  python -m pip install -e "./{folder}[test]"')
    print(f"  pytest {folder}")
    if kind == "dataset":
        print(f"  asd evaluate dataset={part} dataset.folder=FOLDER")
    elif kind == "writer":
        print(f"  asd run FILE writers=[json,{part}]")
    else:
        print(f"  asd run FILE {kind or 'experiment'}={part}")
