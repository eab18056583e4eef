"""freeze: the template hash says what the pipeline is, and nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from pipelines import HELLO, NAMES, SHOP, compile_file, compile_text, golden, shipped, value
from rspp_compiler.ir.dump import to_json
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.layout.freeze import DOMAIN, canonical


def frozen(text: str, name: str = "example.rspp") -> Frozen:
    made: Frozen = value(compile_text(text, name=name), "freeze")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_shipped_pipelines(name: str, snapshot: SnapshotAssertion) -> None:
    assert to_json(value(compile_file(shipped(name)), "freeze")) == snapshot(name=name, extension_class=golden("json"))


def test_the_hash_is_that_of_the_canonical_template() -> None:
    made = frozen(SHOP)
    text = json.dumps(made.template, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(made.template) == text.encode()
    assert made.template_hash == hashlib.sha256(b"rspp.plan.template.v1\0" + text.encode()).hexdigest()
    assert DOMAIN == b"rspp.plan.template.v1\0"
    assert made.layout.plan.template_hash == made.template_hash


@pytest.mark.feature("F-082", "unchanged")
@pytest.mark.parametrize(
    "same",
    [
        SHOP.replace("  node notes", "\n\n  # a comment\n  node notes"),
        SHOP.replace("profile simple/v1", 'profile simple/v1\n  meta { owner = "someone else" }'),
        SHOP.replace("  stt.partial   -> notes", "  stt.partial->notes"),
        SHOP.replace("\n", "\r\n"),
    ],
)
def test_what_is_not_the_pipeline_changes_nothing(same: str) -> None:
    assert same != SHOP
    assert frozen(same).template_hash == frozen(SHOP).template_hash


def test_neither_does_the_name_of_the_file() -> None:
    assert frozen(SHOP, "other.rspp").template_hash == frozen(SHOP).template_hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version "1.2.0"', 'version "1.2.1"'),
        ("pipeline shop", "pipeline shop_two"),
        ("node ears   : vad", "node ears   : vad { min_silence = 400ms }"),
        ('"Sorry?"', '"Pardon?"'),
        ("shop_nodes:polish", "shop_nodes:shine"),
        ("llm.timeout or error ", "llm.timeout "),
        ("  mode", "  budget { llm = 799ms }\n  mode"),
        ("stt.partial   -> notes", "stt.partial   -> notes { buffer = 4 items }"),
        ("  mode", "  record L2\n  mode"),
        ("llm.delta     -> egress.text", "llm.delta     -> egress.text { commit_point }"),
    ],
)
def test_what_is_the_pipeline_changes_it(old: str, new: str) -> None:
    assert old in SHOP
    assert frozen(SHOP.replace(old, new)).template_hash != frozen(SHOP).template_hash


def test_the_content_of_a_named_file_is_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "hello.rspp"
    path.write_text(HELLO + 'provider llm { use scripted { script = file("talk/words.toml") } }\n', encoding="utf-8")
    (tmp_path / "talk").mkdir()
    hashes = set()
    for content in ("a = 1", "a = 2"):
        (tmp_path / "talk" / "words.toml").write_text(content, encoding="utf-8")
        made = value(compile_file(path), "freeze")
        assert [(file.path, file.data) for file in made.resources] == [("talk/words.toml", content.encode())]
        hashes.add(made.template_hash)
    assert len(hashes) == 2


def test_a_file_that_is_gone_or_too_large_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hello.rspp"
    path.write_text(HELLO + 'provider llm { use scripted { script = file("words.toml") } }\n', encoding="utf-8")
    words = tmp_path / "words.toml"
    words.write_bytes(b"x" * 100)
    monkeypatch.setattr("rspp_compiler.layout.resources.FILE_BYTES_MAX", 99)
    assert [found.code for found in compile_file(path).diagnostics] == ["E0604"]
    from rspp_compiler.layout.freeze import freeze

    result = compile_file(path, until="layout")
    words.unlink()
    freeze(result.values["layout"], result.context)
    assert [found.code for found in result.context.sink.diagnostics] == ["E0603"]


def test_secrets_are_only_references() -> None:
    text = HELLO + 'provider llm { use openai { model = "m", api_key = secret("env://OPENAI_API_KEY") } }\n'
    made = frozen(text)
    options = next(binding.options for binding in made.providers if binding.node == "llm")
    assert options["api_key"] == {"secret": "env://OPENAI_API_KEY"}


def test_settings_of_node_and_provider_are_one() -> None:
    text = HELLO.replace("ingress.audio -> vad", 'node tts { language = "en" }\n  ingress.audio -> vad')
    made = frozen(text + 'provider tts { use espeak { voice = "en-us" } }\n')
    options = next(binding.options for binding in made.providers if binding.node == "tts")
    assert options == {"language": "en", "voice": "en-us"}


@pytest.mark.parametrize("text", [HELLO, SHOP])
def test_the_resolved_plan_is_complete(text: str) -> None:
    """Every field that CONTRACTS §6 requires, but for the three that a turn adds; every number in its range."""
    plan = frozen(text).resolved_plan
    assert set(plan) == {
        "pipeline_version", "graph_definition_ref", "execution_profile", "budgets", "provider_bindings",
        "edge_buffer_policies", "flow_control", "allowed_adaptive_actions", "snapshot_provenance",
        "recording_policy", "determinism", "streaming_handoff",
    }  # fmt: skip
    assert all(number >= 1 for number in plan["budgets"].values())
    assert plan["provider_bindings"]
    assert all(plan["provider_bindings"].values())
    assert all(plan["snapshot_provenance"].values())
    for policy in plan["edge_buffer_policies"].values():
        bounds = ("max_queue_items", "max_queue_ms", "max_queue_bytes", "max_latency_contribution_ms")
        assert all(policy[bound] >= 1 for bound in bounds)
        assert policy["strategy"] in ("block", "drop", "merge", "sample", "latest_only")
        assert policy["strategy"] != "block" or policy["max_block_time_ms"] >= 1
        assert policy["defaulting_source"] in ("explicit_edge_config", "execution_profile_default")
        assert policy["lane_handling"]["ControlLane"] == "non_blocking_priority"
    assert plan["determinism"]["nondeterministic_inputs"]


@pytest.mark.feature("F-078", "provenance")
def test_an_edge_says_who_decided_about_it() -> None:
    policies = frozen(SHOP.replace("-> notes", "-> notes { overflow = latest_only }")).resolved_plan[
        "edge_buffer_policies"
    ]
    assert policies["stt.partial -> notes.in"]["defaulting_source"] == "explicit_edge_config"
    assert policies["tts.audio -> egress.audio"]["defaulting_source"] == "execution_profile_default"
