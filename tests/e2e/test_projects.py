"""A new project, exchanged providers, secrets and what a session leaves behind: the commands, as a user runs them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

Rspp = Callable[..., subprocess.CompletedProcess[str]]

# A provider as another package brings it: a module, and the metadata that registers it.
PARROT = """
import hashlib

from rspp_runtime.providers.contract import Outcome, ProviderError


class Parrot:
    modality = "llm"

    def __init__(self, options, resources):
        self.key = options["api_key"]

    async def prepare(self):
        if not self.key.startswith("good-"):
            raise ProviderError(Outcome.BLOCKED, "the key is not accepted: set OPENAI_API_KEY to one that is")

    async def invoke(self, call):
        heard = [item.payload.decode() async for item in call.inputs()]
        await call.emit("delta", f"You said {heard[0]}, door {len(self.key)}.".encode())

    async def close(self):
        pass
"""
PIPELINE = """pipeline porter version "2.0.0" {
  profile simple/v1
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
"""
EXCHANGED = 'provider llm { use openai { model = "any", api_key = secret("env://OPENAI_API_KEY") } }\n'
SECRETS = ("good-correct-horse-battery", "good-staple")


def command(module: str, *arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "120"} | environment, timeout=300,
    )  # fmt: skip


@pytest.mark.feature("F-079", "minimal", "answers")
def test_a_new_project_answers_aloud(tmp_path: Path, samples: Path) -> None:
    assert command("rspp_compiler.cli", "new", "front_desk", cwd=tmp_path).returncode == 0
    folder = tmp_path / "front_desk"
    done = command(
        "rspp_compiler.cli", "run", "front_desk.rspp", "--backend", "python", "--wav", samples / "question.wav",
        "--out", "reply.wav", "--fast", "--json", cwd=folder, RSPP_CACHE=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (turn,) = json.loads(done.stdout[done.stdout.index("{") :])["turns"]
    assert turn["asked"]
    assert turn["said"]
    assert turn["outcome"] == "commit"
    assert turn["end_to_end_ms"] < 2000
    pcm, rate_hz = soundfile.read(folder / "reply.wav", dtype="int16")
    assert np.count_nonzero(np.abs(pcm.astype(int)) > 500) > rate_hz // 4


@pytest.fixture(scope="module")
def porters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pipeline with the local model and with an adapter from elsewhere, both built."""
    root = tmp_path_factory.mktemp("porters")
    (root / "parrot.py").write_text(PARROT, encoding="utf-8")
    info = root / "parrot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[rspp.providers]\nopenai = parrot:Parrot\n", encoding="utf-8")
    for folder, text in (("local", PIPELINE), ("exchanged", PIPELINE + EXCHANGED)):
        (root / folder).mkdir()
        (root / folder / "porter.rspp").write_text(text, encoding="utf-8")
        done = command(
            "rspp_compiler.cli", "build", f"{folder}/porter.rspp", "-o", f"{folder}/out", "--backend", "python",
            "--no-install", cwd=root, RSPP_CACHE=str(root / "cache"),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return root


def _run(porters: Path, which: str, *arguments: object, key: str) -> subprocess.CompletedProcess[str]:
    return command(
        "rspp_runtime.cli", "run", f"{which}/out/porter", "--text", "hello", "--fast", *arguments, cwd=porters,
        PYTHONPATH=str(porters), OPENAI_API_KEY=key,
    )  # fmt: skip


def _plan(porters: Path, which: str) -> dict[str, Any]:
    script = "import dataclasses, json, porter.plan as p; print(json.dumps(dataclasses.asdict(p.PLAN)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(porters / which / "out" / "porter" / "src")},
    )  # fmt: skip
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


@pytest.mark.feature("F-055", "swap")
@pytest.mark.feature("NF-023", "delegated", "swappable", "none_required")
def test_configuration_exchanges_a_model_and_nothing_else(porters: Path) -> None:
    """The local engines need no account and no network; an adapter of another package takes the model's place."""
    local = _run(porters, "local", "--json", key="")
    assert local.returncode == 0, local.stderr
    exchanged = _run(porters, "exchanged", "--json", key=SECRETS[0])
    assert exchanged.returncode == 0, exchanged.stderr
    one, other = json.loads(local.stdout), json.loads(exchanged.stdout)
    assert (one["turns"][0]["outcome"], other["turns"][0]["outcome"]) == ("commit", "commit")
    assert other["turns"][0]["said"].startswith("You said hello")
    providers = [
        {call["node_id"]: call["provider"] for call in report["evidence"][0]["provider_invocations"]}
        for report in (one, other)
    ]
    assert providers == [{"llm": "scripted", "tts": "espeak"}, {"llm": "openai", "tts": "espeak"}]
    before, after = _plan(porters, "local"), _plan(porters, "exchanged")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"provider_bindings", "template_hash"}


@pytest.mark.feature("F-061", "loaded", "hidden", "rotated")
def test_a_secret_is_read_where_it_is_used_and_seen_nowhere(porters: Path) -> None:
    for number, secret in enumerate(SECRETS):
        log = porters / f"{number}.log"
        done = _run(porters, "exchanged", "--log", log, "--level", "L2", key=secret)
        assert done.returncode == 0, done.stderr
        assert f"door {len(secret)}" in " ".join(done.stdout.split())  # the value of today
        lines = command("rspp_runtime.cli", "timeline", log, "--jsonl", cwd=porters).stdout
        payloads = [base64.b64decode(r["payload"]) for r in map(json.loads, lines.splitlines()) if r.get("payload")]
        assert any(b"door" in payload for payload in payloads)
        kept = [done.stdout.encode(), done.stderr.encode(), lines.encode(), log.read_bytes(), *payloads]
        kept += [path.read_bytes() for path in (porters / "exchanged").rglob("*") if path.is_file()]
        assert not any(secret.encode() in text for text in kept)


@pytest.mark.feature("NF-015", "clear", "no_half_start")
@pytest.mark.parametrize(
    ("key", "said"),
    [("bad-key", "set OPENAI_API_KEY to one that is"), (None, "needs the environment variable OPENAI_API_KEY")],
)
def test_wrong_settings_fail_at_once(porters: Path, key: str | None, said: str) -> None:
    """Nothing is played, recorded or printed as if a session had begun."""
    environment = {name: text for name, text in os.environ.items() if name != "OPENAI_API_KEY"}
    environment |= {"PYTHONPATH": str(porters)} | ({"OPENAI_API_KEY": key} if key else {})
    line = [
        sys.executable, "-m", "rspp_runtime.cli", "run", "exchanged/out/porter", "--text", "hello", "--fast", "--log",
        "half.log", "--out", "half.wav",
    ]  # fmt: skip
    done = subprocess.run(line, cwd=porters, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "node llm: " in done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (porters / "half.log").exists()
    assert not (porters / "half.wav").exists()


@pytest.mark.feature("F-009", "partial", "final")
@pytest.mark.feature("F-130", "offline")
def test_partials_come_while_the_user_speaks_and_one_final_at_the_end(
    rspp: Rspp, package: Path, samples: Path, tmp_path: Path, kernel: str
) -> None:
    log = tmp_path / "question.log"
    done = rspp("run", package, "--wav", samples / "question.wav", "--fast", "--level", "L2", "--log", log,
                "--kernel", kernel)  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in rspp("timeline", log, "--jsonl").stdout.splitlines()]
    ears, stt = 1, 2
    inputs = [r for r in records if r["record"] == "input" and r["op"] == "CHUNK"]
    (speech_end,) = [r["now_ns"] for r in inputs if (r["node"], r["port"]) == (ears, 2)]
    partials = [r for r in inputs if (r["node"], r["port"]) == (stt, 1)]
    finals = [r for r in inputs if (r["node"], r["port"]) == (stt, 2)]
    assert len([r for r in partials if r["now_ns"] < speech_end]) >= 3
    assert [base64.b64decode(r["payload"]) for r in finals] == [b"what is the weather like in london"]
    assert finals[0]["now_ns"] >= speech_end
    assert all(r["now_ns"] <= finals[0]["now_ns"] for r in partials)


@pytest.mark.feature("F-149", "content", "replay")
def test_the_plan_of_a_turn_can_be_had_and_replayed(rspp: Rspp, package: Path, tmp_path: Path, kernel: str) -> None:
    log = tmp_path / "plan.log"
    done = rspp("run", package, "--text", "hello", "--fast", "--json", "--log", log, "--kernel", kernel)
    report = json.loads(done.stdout)
    (record,) = report["evidence"]
    shown = command("voice_assistant", "plan", cwd=tmp_path, PYTHONPATH=str(package / "src"))
    plan = json.loads(shown.stdout)
    assert {"ears", "stt", "llm", "voice"} == set(plan["provider_bindings"])
    assert plan["snapshot_provenance"]["policy_resolution_snapshot"] == record["policy_snapshot_ref"]
    turn = json.dumps({"authority_epoch": 1, "mode": "full", "turn_id": record["turn_id"]}, separators=(",", ":"))
    text = b"rspp.plan.v1\0" + plan["template_hash"].encode() + turn.encode()
    assert record["plan_hash"] == hashlib.sha256(text).hexdigest()
    again = rspp("replay", log, "--package", package, "--kernel", "pure" if kernel == "compiled" else "compiled")
    assert again.returncode == 0, again.stdout
    lines = rspp("timeline", log, "--jsonl").stdout
    hashed = base64.b64encode(bytes.fromhex(record["plan_hash"])).decode()
    assert hashed in lines
    other = tmp_path / "other.jsonl"
    other.write_text(lines.replace(hashed, base64.b64encode(bytes(32)).decode()), encoding="utf-8")
    told = json.loads(rspp("replay", other, "--package", package, "--json").stdout)
    assert [difference["class"] for difference in told["differences"]] == ["PLAN_DIVERGENCE"]
