"""A failure that nobody foresaw is no finding."""

from __future__ import annotations

import runpy
from typing import NoReturn

import pytest

import cli.env


def test_it_has_an_exit_status_of_its_own_and_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("a mistake of the program's own")

    monkeypatch.setattr(cli.env, "print_json", broken)
    monkeypatch.setattr("sys.argv", ["strongroom", "env", "diff", "dev", "prod", "--json"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("cli", run_name="__main__")
    assert ended.value.code == 70
    told = capsys.readouterr()
    assert told.out == ""
    assert "ZeroDivisionError: a mistake of the program's own" in told.err
