"""A pipeline of the corpus in its environment, for a tenant, in a session: every value, and where it came from."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from good_corpus import CASES
from pipelines import golden
from rspp_compiler.cli.app import app

LAYERS = ("--environment", "layers/production.toml", "--tenant", "layers/acme.toml", "--session", "layers/caller.toml")


def test_white_label(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    path = CASES["white_label"]
    monkeypatch.chdir(path.parent)
    done = CliRunner().invoke(app, ["resolve", path.name, *LAYERS])
    assert done.exit_code == 0
    assert done.output == snapshot(name="white_label.resolved", extension_class=golden("txt"))
