"""Errors: one line each, also after a journey to another process."""

from __future__ import annotations

import pickle
import threading

import pytest

from asdkit.core import errors
from asdkit.core.errors import AsdError, ConfigError, MissingExtraError, MissingWeightsError

CLASSES = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AsdError)
]
ARGUMENTS = {
    MissingExtraError: ("scorer=talknet", "torch", "torch", "scorer=talknet_onnx"),
    MissingWeightsError: ("it is\nnot here", "Fetch it", "s3fd", "no network", "s3fd.pth"),
}


class StrangeError(ConfigError):
    """A stranger's, with arguments of its own and more to tell."""

    def __init__(self, *, line, file):
        super().__init__(f"{file}:{line} is wrong", "Mend it")
        self.line = line
        self.lock = threading.Lock()


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_crosses_processes_as_its_one_line(kind):
    error = kind(*ARGUMENTS.get(kind, ("it is\nwrong", "Mend it")))
    there = pickle.loads(pickle.dumps(error))
    assert type(there) is kind
    assert str(there) == str(error)
    assert (there.what, there.hint, there.args) == (error.what, error.hint, error.args)
    assert len(str(there).splitlines()) == 1


def test_so_does_a_strangers_without_what_cannot():
    there = pickle.loads(pickle.dumps(StrangeError(line=3, file="a.txt")))
    assert (type(there), str(there), there.line) == (StrangeError, "a.txt:3 is wrong. Mend it", 3)
    assert not hasattr(there, "lock")


def test_one_of_a_class_that_nobody_finds_becomes_the_nearest():
    class HiddenError(StrangeError):
        pass

    there = pickle.loads(pickle.dumps(HiddenError(line=3, file="a.txt")))
    assert (type(there), str(there)) == (StrangeError, "a.txt:3 is wrong. Mend it")


def test_a_line_obeys_no_terminal():
    assert str(AsdError("a\r\nb\x1b[2Jc\x9b\u2028d")) == "a b\ufffd[2Jc\ufffd d"
