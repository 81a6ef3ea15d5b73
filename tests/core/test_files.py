"""Files that are read and written: whole or not at all, and never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asdkit.core.files import beside
from asdkit.core.named_files import read_file, read_text_file


def test_a_text_file_is_read_with_or_without_a_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfJos\xc3\xa9\r\n")
    assert read_text_file(path) == "Jos\xe9\r\n"
    path.write_bytes(b"Jos\xc3\xa9")
    assert read_text_file(path) == "Jos\xe9"
    path.write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        read_text_file(path)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="a pipe or a device") as refused:
            read_file(path)
        assert refused.value.strerror == "it is a pipe or a device, not a file"
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none")
    with pytest.raises(OSError, match="NUL"):
        read_file(tmp_path / "a\0b")


def test_a_file_larger_than_it_may_be_is_refused(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"12345")
    assert read_file(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_file(path, 4)


def test_a_file_is_told_from_a_folder_where_it_can_be(tmp_path, monkeypatch):
    folder = Path("out")
    monkeypatch.chdir(tmp_path)
    assert beside(tmp_path / "a b.mp4", folder) == "../a b.mp4"
    assert beside(tmp_path / "out" / "c" / "d.mp4", folder) == "c/d.mp4"

    def other_drive(path, start):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    assert beside(tmp_path / "a.mp4", folder) is None
