"""rsppc resolve: every value with its place; and what the page about it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner, Result

from pipelines import ROOT, golden, shipped
from rspp_compiler.cli.app import app

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
Run = Callable[..., Result]
TENANT = "[voice]\nrate = 130\n"


def shown(language: str) -> str:
    """The only block of that language on the page."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `rsppc` in a folder with the files of the page."""
    (tmp_path / "concierge.rspp").write_text(shown("rspp"), encoding="utf-8")
    (tmp_path / "museum.toml").write_text(shown("toml"), encoding="utf-8")
    (tmp_path / "acme.toml").write_text(TENANT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def rsppc(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return rsppc


def rows(result: Result) -> dict[str, tuple[str, str]]:
    """Value and origin by key."""
    assert result.exit_code == 0, result.output
    lines = [re.split(r"\s{2,}", line) for line in result.stdout.splitlines() if line]
    return {key: (value, where) for key, value, where in lines}


def test_the_page_shows_what_is_printed(run: Run) -> None:
    command, *printed = shown("text").splitlines()
    result = run(*command.removeprefix("$ rsppc ").split())
    assert result.exit_code == 0
    for line in printed:
        key, value, where = re.split(r"\s{2,}", line)
        assert rows(result)[key] == (value, where)


@pytest.mark.feature("F-080", "traceable")
def test_layers(run: Run) -> None:
    """The environment of the page, a value on the command line, a tenant."""
    plain = rows(run("resolve", "concierge.rspp"))
    assert plain["llm.system"] == ('"You are brief and kind."', "concierge.rspp:5")
    assert plain["budget.turn"] == ("2s", "profile simple/v1:5")
    layered = rows(run("resolve", "concierge.rspp", "--environment", "museum.toml", "--set", "llm.temperature=0.4"))
    assert layered["llm.system"] == ('"You are a museum guide."', "environment museum.toml:2")
    assert layered["llm.temperature"] == ("0.4", "--set")
    assert layered["budget.turn"] == ("1900ms", "environment museum.toml:6")
    assert layered["ears.speech -> stt.audio.latency"] == ("60ms", "environment museum.toml:9")
    assert layered["provider.stt.timeout.first_chunk"] == ("600ms", "environment museum.toml:12")
    assert layered["provider.stt.timeout.chunk"] == ("500ms", "concierge.rspp:15")


def test_only(run: Run) -> None:
    keys = list(rows(run("resolve", "concierge.rspp", "--only", "llm")))
    assert {"llm.system", "port llm.prompt", "budget.llm", "provider.llm.timeout.chunk"} <= set(keys)
    assert "llm.delta -> voice.text.handoff.by" in keys
    others = ("stt.language", "port stt", "ears.", "budget.turn", "provider.tts")
    assert not any(key.startswith(others) for key in keys)
    nothing = run("resolve", "concierge.rspp", "--only", "lmm")
    assert nothing.exit_code == 2
    assert nothing.stderr == "rsppc resolve: nothing is called lmm\n"


@pytest.mark.feature("F-081", "effective")
def test_policy(run: Run, tmp_path: Path) -> None:
    """What a policy inserts, and the provider that it chooses."""
    policy = """
policy clinic when session.tenant == "clinic" {
  node mask : redact { classes = [PHI], action = drop }
  insert mask before llm.prompt
  provider stt { use whisper { model = "small" } }
  record L1
}
"""
    (tmp_path / "clinic.rspp").write_text(shown("rspp") + policy, encoding="utf-8")
    plain = rows(run("resolve", "clinic.rspp"))
    under = rows(run("resolve", "clinic.rspp", "--policy", "clinic"))
    assert "stt.utterance -> llm.prompt.latency" in plain
    assert "stt.utterance -> llm.prompt.latency" not in under
    assert under["clinic.mask.action"] == ("drop", "clinic.rspp:19")
    assert under["clinic.mask.text -> llm.prompt.flow"] == ("signal", plain["llm.delta -> voice.text.flow"][1])
    assert under["provider.stt.use.whisper.model"] == ('"small"', "clinic.rspp:21")
    assert under["record.level"] == ("L1", "clinic.rspp:22")
    missing = run("resolve", "clinic.rspp", "--policy", "clinc")
    assert (missing.exit_code, missing.stderr) == (2, "rsppc resolve: no policy is called clinc; there is clinic\n")


def test_json(run: Run) -> None:
    result = run("resolve", "concierge.rspp", "--tenant", "acme.toml", "--json", "--only", "voice")
    found = {row["key"]: row for row in json.loads(result.stdout)}
    assert found["voice.rate"] == {
        "key": "voice.rate",
        "value": "130",
        "origin": {"kind": "tenant", "file": "acme.toml", "line": 2, "column": 8},
    }
    assert found["budget.voice"]["origin"]["kind"] == "profile"


def test_mistakes(run: Run) -> None:
    result = run("resolve", "concierge.rspp", "--set", "llm.temprature=0.4")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "did you mean `temperature`?" in result.stderr
    missing = run("resolve", "concierge.rspp", "--environment", "none.toml")
    assert missing.exit_code == 2


def test_check_and_fix_with_an_environment(run: Run, tmp_path: Path) -> None:
    """What an environment breaks is found, in its own lines, and mended there."""
    (tmp_path / "bad.toml").write_text("[budget]\nturn = 2s\nllm = 700\n", encoding="utf-8")
    assert run("check", "concierge.rspp", "--environment", "bad.toml").exit_code == 1
    assert run("check", "concierge.rspp", "--environment", "bad.toml", "--fix").exit_code == 0
    assert (tmp_path / "bad.toml").read_text(encoding="utf-8") == '[budget]\nturn = "2s"\nllm = "700ms"\n'
    late = run("check", "concierge.rspp", "--set", "budget.turn=1s")
    assert late.exit_code == 1
    assert "E0501" in late.stdout


def test_every_value_of_the_assistant(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, ["resolve", f"pipelines/{shipped('voice_assistant').name}"])
    assert result.exit_code == 0
    assert result.stdout == snapshot(name="voice_assistant", extension_class=golden("txt"))
