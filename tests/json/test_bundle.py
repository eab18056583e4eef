"""Bundles: a pipeline with its profile, its policies and its rollout becomes one program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from json_documents import document, understood
from pipelines import compile_file, value
from rspp_compiler.cli.app import app
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.driver import Result

SPEC = """pipeline desk version "1.1.0" {
  node ears : vad
  ingress.audio -> ears -> stt -> llm -> tts -> egress.audio
}

policy basic when session.tier == "basic" {
  node mask : redact { classes = [PII], action = mask }
  insert mask before llm.prompt
}
"""
CLINIC = """policy clinic when session.tenant == "clinic" {
  node mask : redact { classes = [PHI], action = drop }
  insert mask before llm.prompt
  record L0
}
"""
PROFILE = {"schema_version": "rspp.profile.v1", "execution_profile": "simple/v1"}
ROLLOUT = {
    "schema_version": "rspp.rollout.v1",
    "rollout_id": "slowly",
    "strategy": "allowlist",
    "versions": [{"pipeline_version": "1.0.0"}, {"pipeline_version": "1.1.0", "tenants": ["acme", "clinic"]}],
}
BUNDLE = {
    "schema_version": "rspp.pipeline.bundle.v1",
    "bundle_id": "desk",
    "spec": "specs/desk.json",
    "profile": "profile.json",
    "policies": ["policies/clinic.json"],
    "rollout": "rollout.json",
}


def policy_file() -> dict[str, Any]:
    (policy,) = json.loads(document(understood(CLINIC, "clinic.rspp"), CLINIC))["policies"]
    return {"schema_version": "rspp.policy.v1", "policy_version": "4", **policy}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    put("specs/desk.json", json.loads(document(understood(SPEC, "desk.rspp"), SPEC)))
    put("profile.json", PROFILE)
    put("policies/clinic.json", policy_file())
    put("rollout.json", ROLLOUT)
    put("desk.bundle.json", BUNDLE)
    return tmp_path


def put(name: str, data: Any) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=2), encoding="utf-8")


def bundle(**changes: Any) -> Result:
    put("desk.bundle.json", {key: value for key, value in (BUNDLE | changes).items() if value is not None})
    return compile_file(Path("desk.bundle.json"))


def only(result: Result, code: str) -> Any:
    (found,) = [one for one in result.diagnostics if one.severity == "error"]
    assert found.code == code, found.message
    return found


@pytest.mark.usefixtures("folder")
def test_a_bundle_is_one_program() -> None:
    """Policies of their own files come before those of the pipeline: the first one that holds applies."""
    Path("whole.rspp").write_text(CLINIC + SPEC, encoding="utf-8")
    result = bundle()
    assert result.ok
    whole = compile_file(Path("whole.rspp"))
    assert value(result, "freeze").template_hash == value(whole, "freeze").template_hash
    assert [policy.id for policy in result.stage("spec").policies] == ["clinic", "basic"]


@pytest.mark.usefixtures("folder")
def test_the_rollout_is_carried_and_no_part_of_the_pipeline() -> None:
    result = bundle()
    rollout = result.values["link"].rollout
    assert (rollout.name, rollout.strategy) == ("slowly", "allowlist")
    assert [(share.version, share.tenants) for share in rollout.shares] == [
        ("1.0.0", ()),
        ("1.1.0", ("acme", "clinic")),
    ]
    without = bundle(rollout=None)
    assert without.values["link"].rollout is None
    assert value(without, "freeze").template_hash == value(result, "freeze").template_hash


@pytest.mark.usefixtures("folder")
def test_the_pipeline_may_be_written_as_rspp() -> None:
    hashes = {value(bundle(), "freeze").template_hash}
    put("desk.rspp", SPEC)
    hashes.add(value(bundle(spec="desk.rspp"), "freeze").template_hash)
    assert len(hashes) == 1


@pytest.mark.usefixtures("folder")
def test_findings_lie_in_the_file_that_they_are_about() -> None:
    put("policies/clinic.json", policy_file() | {"inserts": [{"node_id": "mask", "before": "lmm.prompt"}]})
    found = only(bundle(), "E0203")
    assert found.primary.file == "policies/clinic.json"
    assert "this is `inserts[0].before`" in found.notes
    assert apply_all({"policies/clinic.json": Path("policies/clinic.json").read_text()}, [found.fix])[1]


@pytest.mark.feature("F-078", "refused")
@pytest.mark.usefixtures("folder")
def test_a_profile_that_there_is_not() -> None:
    put("profile.json", PROFILE | {"execution_profile": "balanced/v1"})
    found = only(bundle(), "E0209")
    assert (found.primary.file, found.notes[-1]) == ("profile.json", "this is `execution_profile`")
    after, _ = apply_all({"profile.json": Path("profile.json").read_text()}, [found.fix])
    put("profile.json", after["profile.json"])
    assert bundle().ok


@pytest.mark.usefixtures("folder")
def test_two_profiles() -> None:
    put("desk.rspp", SPEC.replace("  node ears", "  profile simple/v2\n  node ears"))
    result = bundle(spec="desk.rspp")
    found = next(one for one in result.diagnostics if one.code == "E0127")
    assert found.message == "the bundle says `simple/v1`, and the pipeline `simple/v2`"
    assert [span.file for span, _ in found.secondary] == ["desk.rspp"]


@pytest.mark.usefixtures("folder")
def test_a_version_without_a_share() -> None:
    put("rollout.json", ROLLOUT | {"strategy": "all", "versions": [{"pipeline_version": "1.0.0"}]})
    found = only(bundle(), "E0127")
    assert found.message == "version 1.1.0 of the pipeline has no share"
    after, _ = apply_all({"rollout.json": Path("rollout.json").read_text()}, [found.fix])
    assert json.loads(after["rollout.json"])["versions"] == [{"pipeline_version": "1.1.0"}]


@pytest.mark.usefixtures("folder")
def test_files_that_are_not_there() -> None:
    found = only(bundle(policies=["policies/clinik.json"]), "E0127")
    assert found.message == "no file `policies/clinik.json`"
    assert found.help == 'did you mean "policies/clinic.json"?'
    after, _ = apply_all({"desk.bundle.json": Path("desk.bundle.json").read_text()}, [found.fix])
    put("desk.bundle.json", after["desk.bundle.json"])
    assert compile_file(Path("desk.bundle.json")).ok
    assert only(bundle(spec="nothing.json"), "E0127").help == "name a file relative to the folder of the bundle"


@pytest.mark.usefixtures("folder")
def test_a_file_in_the_wrong_place() -> None:
    found = only(bundle(profile="rollout.json"), "E0127")
    assert found.message == "`rollout.json` is a `rspp.rollout.v1`, and a `rspp.profile.v1` belongs here"


@pytest.mark.usefixtures("folder")
def test_mistakes_in_every_file_at_once() -> None:
    put("profile.json", PROFILE | {"exekution": 1})
    put("rollout.json", ROLLOUT | {"strategy": "canary"})
    put("policies/clinic.json", policy_file() | {"when": "session.tenant =="})
    found = bundle(frobs=1).diagnostics
    assert {(one.primary.file, one.code) for one in found} == {
        ("profile.json", "E0121"), ("rollout.json", "E0128"), ("policies/clinic.json", "E0125"),
        ("desk.bundle.json", "E0121"),
    }  # fmt: skip


@pytest.mark.feature("F-126", "invalid")
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["profile.json", "rollout.json", "policies/clinic.json"])
def test_what_lies_beside_a_pipeline_can_be_checked_by_itself(name: str) -> None:
    done = CliRunner().invoke(app, ["check", name])
    assert (done.exit_code, done.output) == (0, "")
    data = json.loads(Path(name).read_text())
    put(name, data | {"frobs": 1})
    done = CliRunner().invoke(app, ["check", name])
    assert done.exit_code == 1
    assert "E0121" in done.output


@pytest.mark.usefixtures("folder")
def test_a_bundle_as_one_file() -> None:
    done = CliRunner().invoke(app, ["fmt", "--to", "rspp", "desk.bundle.json", "-o", "desk.rspp"])
    assert (done.exit_code, done.output) == (0, "")
    whole = compile_file(Path("desk.rspp"))
    assert value(whole, "freeze").template_hash == value(bundle(), "freeze").template_hash
    assert "profile simple/v1" in Path("desk.rspp").read_text()


@pytest.mark.usefixtures("folder")
def test_a_policy_can_be_imported() -> None:
    put("desk.rspp", 'import clinic from "policies/clinic.json"\n' + SPEC)
    result = compile_file(Path("desk.rspp"))
    assert result.ok
    assert [policy.id for policy in result.stage("spec").policies] == ["clinic", "basic"]
