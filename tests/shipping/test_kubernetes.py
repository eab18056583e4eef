"""Manifests: as they are, valid, sized by the compiler's figures, rendered by kustomize, sound to checkov."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from pipelines import SHOP, compile_file, compile_text, golden, shipped, value
from rspp_compiler.analysis.memory import memory
from rspp_compiler.cli.app import app
from rspp_compiler.emit.shipping.kubernetes import PRE_STOP_S, Wishes, kubernetes
from rspp_compiler.emit.shipping.pod import PROCESS_MILLICPU, SESSION_MILLICPU, Pod, pod
from rspp_compiler.ir.plan import Frozen

WISHES = Wishes("registry.example/voice_assistant:1.0.0", tenants=("acme",))
KUSTOMIZED = ("overlays/development", "overlays/production", "tenants/acme")
VERSIONS = ("1.29", "1.32", "1.34")
WHOLE_KUSTOMIZE = (4, 0)  # components, and folders among the resources

VENDORS = """pipeline desk version "2.0.0" {
  profile simple/v1
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
provider stt { use deepgram { api_key = secret("env://DEEPGRAM_KEY") } }
provider llm { use openai { model = "small", api_key = secret("file:///run/secrets/openai") } }
"""


def frozen(name: str = "voice_assistant") -> Frozen:
    made: Frozen = value(compile_file(shipped(name)), "freeze")
    return made


def needs(plan: Frozen, sessions: int | None = None, millis: int | None = None) -> Pod:
    return pod(plan, memory(plan.layout), sessions, millis)


def manifests() -> dict[str, str]:
    plan = frozen()
    return kubernetes(plan, needs(plan, 20, 40), WISHES)


def written(folder: Path) -> Path:
    for path, text in manifests().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


def of_kind(text: str, kind: str) -> dict[str, Any]:
    return next(one for one in documents(text) if one["kind"] == kind)


# ---- the bytes


@pytest.mark.parametrize("path", sorted(manifests()), ids=lambda path: path.replace("/", "-"))
def test_a_manifest(path: str, snapshot: SnapshotAssertion) -> None:
    name, _, extension = path.replace("/", "-").rpartition(".")
    assert manifests()[path] == snapshot(name=name, extension_class=golden(extension))


def test_the_same_pipeline_gives_the_same_bytes(tmp_path: Path) -> None:
    said = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        command = [sys.executable, "-m", "rspp_compiler.cli", "package", str(shipped("hello")), "--kubernetes"]
        command += ["--no-image", "--manifests", str(folder)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed})
        said.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert said[0] == said[1]
    assert len(said[0]) == 14


# ---- figures


def test_requests_are_the_compilers_bounds() -> None:
    plan = frozen()
    throughput = plan.layout.analysis.throughput
    bound = sum(use.work_ns * use.per_second for use in throughput.nodes) / 1_000_000 + SESSION_MILLICPU
    one, twenty = needs(plan, 1), needs(plan, 20)
    assert one.session_millicpu == bound
    assert twenty.cpu_millis == PROCESS_MILLICPU + 20 * bound
    assert twenty.cpu_limit_millis % 1000 == 0
    assert twenty.cpu_limit_millis >= twenty.cpu_millis
    grown = twenty.memory_bytes - one.memory_bytes
    assert grown >= 19 * memory(plan.layout).session_bytes, "each session's block is in it"


def test_without_a_wish_a_pod_has_what_a_core_can_hold() -> None:
    plan = frozen()
    found = needs(plan)
    assert found.cpu_millis <= 1000 < PROCESS_MILLICPU + (found.sessions + 1) * found.session_millicpu


def test_what_was_measured_takes_the_bounds_place() -> None:
    plan = frozen()
    found = needs(plan, 20, 40)
    assert found.cpu_millis == PROCESS_MILLICPU + 20 * 40
    assert "--cpu-per-session" in " ".join(found.cpu_terms)
    assert found.unpaced == ()


def test_every_figure_says_where_it_is_from() -> None:
    text = manifests()["base/deployment.yaml"]
    lines = text.splitlines()
    for key in ("terminationGracePeriodSeconds:", "cpu:", "memory:", "sizeLimit:"):
        for number, line in enumerate(lines):
            if line.strip().startswith(key) and "64Mi" not in line:
                assert lines[number - 1].strip().startswith("#"), line


def test_user_code_that_declares_no_memory_is_named() -> None:
    plan: Frozen = value(compile_text(SHOP, name="shop.rspp"), "freeze")
    assert needs(plan).untold == ("polish",)
    text = kubernetes(plan, needs(plan), Wishes("shop:1"))["base/deployment.yaml"]
    assert "Not in it: polish, which declare no" in text


# ---- what is in them


def test_a_pod_has_no_privilege_and_a_way_to_end() -> None:
    spec = of_kind(manifests()["base/deployment.yaml"], "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    settings = dict(
        line.split("=", 1) for line in manifests()["base/settings.env"].splitlines() if not line.startswith("#")
    )
    grace = int(settings["RSPP_SERVE_GRACE"])
    assert spec["terminationGracePeriodSeconds"] > grace + PRE_STOP_S
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_arguments_and_settings_are_those_that_the_server_takes() -> None:
    from rspp_runtime.cli.app import app as runtime

    told = CliRunner().invoke(runtime, ["serve", "--help"], env={"COLUMNS": "200"}).output
    args = of_kind(manifests()["base/deployment.yaml"], "Deployment")["spec"]["template"]["spec"]["containers"][0][
        "args"
    ]
    assert args[0] == "serve"
    assert [word for word in args[1:] if word.partition("=")[0] not in told] == []
    lines = manifests()["base/settings.env"].splitlines()
    settings = [line.partition("=")[0] for line in lines if not line.startswith("#")]
    assert settings == ["RSPP_SERVE_MAX_SESSIONS", "RSPP_SERVE_GRACE", "RSPP_SERVE_LEVEL", "RSPP_SERVE_ORIGIN"]
    assert [name for name in settings if name not in told] == []


def test_local_engines_talk_to_nobody_and_vendors_by_https_alone() -> None:
    assert of_kind(manifests()["base/networkpolicy.yaml"], "NetworkPolicy")["spec"]["egress"] == []
    plan = frozen()
    text = kubernetes(plan, needs(plan), WISHES, ("deepgram",))["base/networkpolicy.yaml"]
    dns, https = of_kind(text, "NetworkPolicy")["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert https["ports"] == [{"protocol": "TCP", "port": 443}]
    assert "169.254.0.0/16" in https["to"][0]["ipBlock"]["except"]


def test_secrets_are_named_never_written() -> None:
    plan: Frozen = value(compile_text(VENDORS, until="freeze"), "freeze")
    text = kubernetes(plan, needs(plan), Wishes("desk:2"))["base/deployment.yaml"]
    (container,) = of_kind(text, "Deployment")["spec"]["template"]["spec"]["containers"]
    (variable,) = container["env"]
    assert variable["name"] == "DEEPGRAM_KEY"
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "desk-providers", "key": "DEEPGRAM_KEY"}
    assert {"name": "provider-secrets", "mountPath": "/run/secrets/openai", "subPath": "openai", "readOnly": True} in (
        container["volumeMounts"]
    )


# ---- as others see them


@pytest.mark.feature("NF-007", "neutral")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(version: str, tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "acme.yaml").write_text(manifests()["tenants/acme/namespace.yaml"])
    files = [
        path for path in tmp_path.rglob("*.yaml") if path.name not in ("kustomization.yaml", "servicemonitor.yaml")
    ]
    done = validated(version, files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Couldn't find" not in done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("passed for resource") >= len(files)


def validated(version: str, files: list[Path]) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / "kubernetes-validate"
    command = [str(tool), "--strict", "-k", version, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_wrong_manifest_is_not_valid(tmp_path: Path) -> None:
    path = tmp_path / "deployment.yaml"
    path.write_text(manifests()["base/deployment.yaml"].replace("terminationGracePeriodSeconds", "graceSeconds"))
    assert validated("1.32", [path]).returncode != 0


def kustomized(folder: Path, overlay: str) -> str:
    """An overlay as kubectl renders it. Skips where kubectl is missing or older than components are."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    said = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    version = json.loads(said.stdout or "{}").get("kustomizeVersion", "v2.0")
    if tuple(map(int, version.removeprefix("v").split(".")[:2])) < WHOLE_KUSTOMIZE:
        pytest.skip(f"kubectl has kustomize {version}: components came with 4.0")
    done = subprocess.run(["kubectl", "kustomize", str(folder / overlay)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("overlay", KUSTOMIZED)
def test_kustomize_renders_what_a_cluster_takes(overlay: str, tmp_path: Path) -> None:
    text = kustomized(written(tmp_path / "manifests"), overlay)
    whole = tmp_path / "whole.yaml"
    kept = [one for one in documents(text) if one["kind"] != "ServiceMonitor"]
    whole.write_text(yaml.safe_dump_all(kept))
    done = validated("1.32", [whole])
    assert done.returncode == 0, done.stdout + done.stderr
    config = of_kind(text, "ConfigMap")["metadata"]["name"]
    (container,) = of_kind(text, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": config}}]
    assert config != "voice-assistant-settings", "a hash is in it: what changes there replaces the pods"


def test_overlays_differ_in_what_they_are_for(tmp_path: Path) -> None:
    folder = written(tmp_path)
    development, production = (kustomized(folder, f"overlays/{name}") for name in ("development", "production"))
    kinds = {one["kind"] for one in documents(production)} - {one["kind"] for one in documents(development)}
    assert kinds == {"HorizontalPodAutoscaler", "PodDisruptionBudget", "PersistentVolumeClaim", "ServiceMonitor"}
    assert of_kind(development, "Deployment")["spec"]["replicas"] == 1
    volumes = of_kind(production, "Deployment")["spec"]["template"]["spec"]["volumes"]
    logs = next(one for one in volumes if one["name"] == "logs")
    assert logs == {"name": "logs", "persistentVolumeClaim": {"claimName": "voice-assistant-logs"}}
    tenant = documents(kustomized(folder, "tenants/acme"))
    assert {one["metadata"].get("namespace", "acme") for one in tenant} == {"acme"}


def checkov(target: Path) -> dict[str, Any]:
    """What checkov says of a folder. Skips where it is not installed."""
    own = Path(__file__).parents[2] / "out" / "checkov" / "bin"
    tool = shutil.which("checkov", path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
    if tool is None:
        pytest.skip("checkov is not installed: .ci/checkov puts it into an environment of its own")
    command = [tool, "--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "-o", "json"]
    done = subprocess.run([*command, "-d", str(target)], capture_output=True, text=True, check=False, timeout=300)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("overlay", KUSTOMIZED)
def test_checkov_finds_nothing_that_is_not_justified(overlay: str, tmp_path: Path) -> None:
    target = tmp_path / "rendered"
    target.mkdir()
    (target / "all.yaml").write_text(kustomized(written(tmp_path / "manifests"), overlay))
    report = checkov(target)
    assert [(one["check_id"], one["resource"]) for one in report["results"]["failed_checks"]] == []
    assert report["summary"]["passed"] > 50
    assert report["summary"]["skipped"] == sum(text.count("checkov.io/skip") for text in _texts(target)) > 0


def _texts(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("*.yaml")]


def test_checkov_sees_what_is_wrong(tmp_path: Path) -> None:
    text = manifests()["base/deployment.yaml"]
    lines = [line for line in text.splitlines() if "checkov.io/skip" not in line and "readOnlyRoot" not in line]
    (tmp_path / "deployment.yaml").write_text("\n".join(lines))
    failed = {one["check_id"] for one in checkov(tmp_path)["results"]["failed_checks"]}
    assert {"CKV_K8S_43", "CKV_K8S_22"} <= failed


# ---- the command


def test_the_command_refuses_what_is_no_name() -> None:
    for option, text in (("--namespace", "No_Name"), ("--tenant-namespace", "-x"), ("--image", "Has Blanks:1")):
        done = CliRunner().invoke(app, ["package", str(shipped("hello")), "--kubernetes", "--no-image", option, text])
        assert done.exit_code == 2, done.output


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = ["package", str(shipped("hello")), "--kubernetes", "--no-image", "--manifests", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2, done.output
    assert "give --manifests another folder" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_an_earlier_run_left_is_gone(tmp_path: Path) -> None:
    command = ["package", str(shipped("hello")), "--kubernetes", "--no-image", "--manifests", str(tmp_path)]
    assert CliRunner().invoke(app, [*command, "--tenant-namespace", "acme"]).exit_code == 0
    (tmp_path / "notes.md").write_text("mine")
    assert CliRunner().invoke(app, command).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "components", "notes.md", "overlays"]


def test_more_sessions_than_a_core_holds_are_told(tmp_path: Path) -> None:
    command = ["package", str(shipped("voice_assistant")), "--kubernetes", "--no-image", "--manifests", str(tmp_path)]
    told = CliRunner().invoke(app, [*command, "--sessions-per-pod", "50"]).output
    assert "by the bound it holds 2" in told
    assert "note:" not in CliRunner().invoke(app, [*command, "--sessions-per-pod", "2"]).output
