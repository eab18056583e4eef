"""The manifests' Deployment in podman: a full pod within its limit of memory, ended as a kubelet ends it.

podman 4 knows neither `fsGroup` nor a secret's mode, so folders of the host, with the owners that a kubelet gives them,
stand in for the two volumes that depend on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers import Built, Podman, bearer, come_in, free_port, status, wait_for
from pipelines import ROOT
from rspp.client import Conversation

TURNS = 4
THINKS_S = 0.7  # before the next question: who says it in the very moment of the handover may have to say it again
SESSIONS = 8


@pytest.fixture
def deployment(image: Built, tmp_path: Path) -> list[dict[str, Any]]:
    """What `rsppc package --kubernetes` wrote, rendered for development."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: it renders the overlay")
    folder = tmp_path / "manifests"
    command = [sys.executable, "-m", "rspp_compiler.cli", "package", "pipelines/voice_assistant.rspp", "--no-image"]
    command += ["--kubernetes", "--manifests", str(folder), "--image", image.tag, "--sessions-per-pod", str(SESSIONS)]
    subprocess.run([*command, "--cpu-per-session", "60"], cwd=ROOT, check=True, capture_output=True)
    rendered = subprocess.run(
        ["kubectl", "kustomize", str(folder / "overlays" / "development")], check=True, capture_output=True, text=True
    )
    return [one for one in yaml.safe_load_all(rendered.stdout) if one["kind"] in ("ConfigMap", "Deployment")]


@dataclass
class Pod:
    """One pod of the Deployment, as podman plays it."""

    podman: Podman
    file: Path
    name: str
    port: int

    @property
    def container(self) -> str:
        return f"{self.name}-pod-0-agent"

    def start(self) -> None:
        self.podman.run("kube", "play", str(self.file), timeout_s=120)
        try:
            wait_for(self.port, "/readyz")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.podman.done('logs', self.container)}") from None

    def terminate(self) -> int:
        """As a kubelet ends a pod: SIGTERM, and SIGKILL after its grace. The exit code of what ran in it."""
        self.podman.run("pod", "stop", "-t", "45", f"{self.name}-pod-0", timeout_s=60)
        state: Any = self.podman.inspect(self.container)["State"]
        return int(state["ExitCode"])


@contextlib.contextmanager
def pods(
    podman: Podman, documents: list[dict[str, Any]], signing: Path, logs: Path, tags: dict[str, str]
) -> Iterator[list[Pod]]:
    """A pod of each image, by its name; all with the same key and the same logs, as in overlays/production."""
    made = []
    for version, tag in tags.items():
        whole = json.loads(json.dumps(documents))
        name, port = f"rspp-test-{os.getpid()}-{version}", free_port()
        for one in whole:
            if one["kind"] == "Deployment":
                one["metadata"]["name"] = name
                spec = one["spec"]["template"]["spec"]
                (container,) = spec["containers"]
                container["image"] = tag
                container["ports"][0]["containerPort"] = port
                container["env"] = [{"name": "RSPP_SERVE_PORT", "value": str(port)}]
                places = {"signing-key": signing / "mounted", "logs": logs}
                spec["volumes"] = [
                    {"name": volume["name"], "hostPath": {"path": str(places[volume["name"]]), "type": "Directory"}}
                    if volume["name"] in places
                    else volume
                    for volume in spec["volumes"]
                ]
        file = signing / f"{version}.yaml"
        file.write_text(yaml.safe_dump_all(whole))
        made.append(Pod(podman, file, name, port))
    try:
        yield made
    finally:
        for pod in made:
            podman.done("kube", "down", str(pod.file))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    os.chown(folder, 65532, 65532)
    return folder


@dataclass
class Caller:
    """Somebody who asks `TURNS` questions, whatever server answers."""

    number: int
    session: str = ""
    answers: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    resumed: int = 0
    epoch: int = 0

    async def talk(self, port: int, token: str, halfway: asyncio.Event) -> None:
        async with await come_in(port, token) as going:
            self.session = going.welcome["session_id"]
            for turn in range(TURNS):
                self.answers.append(await self._ask(going))
                if turn == 0:
                    halfway.set()
                await asyncio.sleep(THINKS_S)
            self.resumed, self.epoch = going.resumed, going.welcome["authority_epoch"]
            assert going.welcome["session_id"] == self.session

    async def _ask(self, going: Conversation) -> str:
        said = ""
        await going.text("hello")
        async for message in going:
            if "seq" in message:
                self.seen.append(message["seq"])
            if message["type"] == "text":
                said += message["text"]
            if message["type"] == "signal" and message["signal"] in ("commit", "abort"):
                said += f" [{message['signal']}]"
            if message["type"] == "signal" and message["signal"] == "close":
                return said
        raise AssertionError(f"caller {self.number}: the conversation ended after {self.answers}")


def test_podman_plays_the_deployment(
    podman: Podman, image: Built, deployment: list[dict[str, Any]], signing: Path, logs: Path
) -> None:
    with pods(podman, deployment, signing, logs, {"one": image.tag}) as (pod,):
        pod.start()
        found = podman.inspect(pod.container)
        host: Any = found["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert {"CAP_SETUID", "CAP_NET_RAW", "CAP_CHOWN"} <= set(host["CapDrop"])
        requests = next(one for one in deployment if one["kind"] == "Deployment")
        limit = requests["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
        assert host["Memory"] == int(limit.removesuffix("Mi")) << 20
        assert status(pod.port, "/healthz") == 200

        async def crowd() -> list[Caller]:
            """As many as the pod was sized for, within its limit of memory; and one too many."""
            callers = [Caller(number) for number in range(SESSIONS)]
            token, began = bearer(signing), asyncio.Event()
            async with asyncio.timeout(120):
                await asyncio.gather(*(caller.talk(pod.port, token, began) for caller in callers))
            return callers

        callers = asyncio.run(crowd())
        assert [len(caller.answers) for caller in callers] == [TURNS] * SESSIONS
        state: Any = podman.inspect(pod.container)["State"]
        assert state["OOMKilled"] is False
        assert state["Running"] is True
        assert pod.terminate() == 0
