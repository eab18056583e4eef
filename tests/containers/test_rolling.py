"""The manifests' Deployment in podman, and a rolling update under load: version 2 is ready, version 1 drains.

podman plays the pods. What a cluster does around them is played here: probes and the Service by `Endpoints`, the
update by the test. podman 4 knows neither `fsGroup` nor a secret's mode, so folders of the host, with the owners that a
kubelet gives them, stand in for the two volumes that depend on it.
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

from containers import Built, Endpoints, Podman, bearer, come_in, free_port, status, wait_for
from pipelines import ROOT
from rspp.client import Conversation

CALLERS = 4
TURNS = 4
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
    """Somebody who asks `TURNS` questions, whatever server answers; odd ones think before each, others never do."""

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
                await asyncio.sleep(self.number % 2 * 0.5)
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


@pytest.mark.feature("NF-016", "policy", "no_silent_loss")
@pytest.mark.feature("F-106", "drains", "no_loss")
def test_a_rolling_update_under_load_loses_no_session(
    podman: Podman, image: Built, deployment: list[dict[str, Any]], signing: Path, logs: Path
) -> None:
    """Callers are in the middle of turns when version 1 is told to stop. Each has all its answers, from one session."""
    two = f"{image.tag}-release-2"
    release = signing / "Containerfile"
    release.write_text(f"FROM {image.tag}\nLABEL rspp.release=2\n")
    podman.run("build", "-q", "--format", "docker", "-t", two, "-f", str(release), str(signing / "mounted"))

    async def update(before: Pod, after: Pod) -> list[Caller]:
        callers = [Caller(number) for number in range(CALLERS)]
        token = bearer(signing)
        async with asyncio.timeout(150), Endpoints(before.port, after.port) as service:
            while not service.ready:
                await asyncio.sleep(0.1)
            began = [asyncio.Event() for _ in callers]
            talking = [
                asyncio.create_task(caller.talk(service.port, token, event))
                for caller, event in zip(callers, began, strict=True)
            ]
            await asyncio.gather(*(event.wait() for event in began))
            await asyncio.to_thread(after.start)
            while after.port not in service.ready:
                await asyncio.sleep(0.1)
            ending = asyncio.create_task(asyncio.to_thread(before.terminate))
            while before.port in service.ready:
                await asyncio.sleep(0.1)
            late = Caller(99)
            await late.talk(service.port, token, asyncio.Event())
            await asyncio.gather(*talking)
            assert await ending == 0
        return [*callers, late]

    try:
        with pods(podman, deployment, signing, logs, {"one": image.tag, "two": two}) as (before, after):
            before.start()
            *callers, late = asyncio.run(update(before, after))
            assert podman.inspect(after.container)["State"]["Running"] is True  # type: ignore[index]
    finally:
        podman.run("rmi", two, check=False)
    for caller in [*callers, late]:
        assert len(caller.answers) == TURNS, caller
        assert all("museum of clocks" in answer and "[commit]" in answer for answer in caller.answers), caller
        assert caller.seen == sorted(set(caller.seen)), "nothing twice, nothing out of order"
    moved = [caller.resumed for caller in callers if caller.number % 2]
    assert all(moved), "who is between two turns is moved; who never stops talking may be heard out"
    assert late.resumed == 0, "who came while version 1 drained was taken by version 2"
    assert len({caller.session for caller in [*callers, late]}) == CALLERS + 1
    assert len(list(logs.glob("*.rspplog"))) == CALLERS + 1, "one log for each, which both have written"
