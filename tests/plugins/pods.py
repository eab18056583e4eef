"""Pods of the manifests in podman, and callers who talk to whatever pod answers, as a Service would lead them.

podman 4 knows neither `fsGroup` nor a secret's mode, so folders of the host, with the owners that a kubelet gives them,
stand in for the two volumes that depend on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from containers import Built, Podman, come_in, free_port, status, wait_for
from piping import pass_on
from rspp.client import Conversation

GRACE_S = 45  # as a kubelet that ends one of these pods
ANSWER_S = 30.0  # that a caller waits for an answer


def rendered(image: Built) -> list[dict[str, Any]]:
    """What `rsppc package --kubernetes` wrote, rendered for development."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: it renders the overlay")
    command = ["kubectl", "kustomize", str(image.manifests / "overlays" / "development")]
    made = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return [one for one in yaml.safe_load_all(made.stdout) if one["kind"] in ("ConfigMap", "Deployment")]


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
        """As a kubelet ends a pod: SIGTERM, and SIGKILL after its grace. The exit code of what ran in it.

        Not by `podman pod stop`, which takes the pod's network away at once; a kubelet ends its sandbox last.
        """
        self.podman.run("stop", "-t", str(GRACE_S), self.container, timeout_s=GRACE_S + 15)
        state: Any = self.podman.inspect(self.container)["State"]
        return int(state["ExitCode"])

    def sample(self, name: str, **labels: str) -> float:
        """A figure of its /metrics, of all series with these labels together."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        found = 0.0
        for line in lines:
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and all(f'{key}="{label}"' in head for key, label in labels.items()):
                found += float(value)
        return found


@contextlib.contextmanager
def pods(
    podman: Podman, releases: dict[str, list[dict[str, Any]]], signing: Path, logs: Path, **settings: str
) -> Iterator[list[Pod]]:
    """A pod of each release, by its name; all with the same key and the same logs, as in overlays/production."""
    made = []
    for version, documents in releases.items():
        whole = json.loads(json.dumps(documents))
        name, port = f"rspp-test-{os.getpid()}-{version}", free_port()
        for one in whole:
            if one["kind"] == "ConfigMap":  # where an overlay changes them; and to podman it counts more than `env`
                one["data"] |= settings
            if one["kind"] == "Deployment":
                one["metadata"]["name"] = name
                spec = one["spec"]["template"]["spec"]
                (container,) = spec["containers"]
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


@dataclass
class Caller:
    """Somebody who asks one question after the other, whatever server answers."""

    number: int
    session: str = ""
    answers: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)  # of the pipeline that gave each answer
    resumed: int = 0
    welcome: dict[str, Any] = field(default_factory=dict)  # the last one

    async def talk(self, port: int, token: str, enough: Callable[[Caller], bool], pause_s: float = 0.0) -> None:
        """Asks until that is `enough`, with `pause_s` between an answer and the next question."""
        async with await come_in(port, token) as going:
            self.session = going.welcome["session_id"]
            while not enough(self):
                async with asyncio.timeout(ANSWER_S):
                    self.answers.append(await self._ask(going))
                self.resumed, self.welcome = going.resumed, going.welcome
                self.versions.append(going.welcome["pipeline_version"])
                assert going.welcome["session_id"] == self.session
                await asyncio.sleep(pause_s)

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


class Endpoints:
    """What a Service and a kubelet do: a new connection goes to any pod that is ready, by its `/readyz`, and stays
    there."""

    def __init__(self, *ports: int) -> None:
        self.ports = list(ports)
        self.ready: list[int] = []
        self.port = 0
        self._any = random.Random(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Endpoints:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._keep(self._probe())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, *ports: int, within_s: float = 30.0) -> None:
        """Waits until these are ready, and no others."""
        async with asyncio.timeout(within_s):
            while sorted(self.ready) != sorted(ports):
                await asyncio.sleep(0.05)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe(self) -> None:
        while True:
            ports = tuple(self.ports)
            found = await asyncio.gather(*(asyncio.to_thread(status, port, "/readyz") for port in ports))
            self.ready = [port for port, code in zip(ports, found, strict=True) if code == 200]
            await asyncio.sleep(0.2)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.ready:
            writer.close()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._any.choice(self.ready))
        except OSError:
            writer.close()
            return
        self._keep(pass_on(reader, forth))
        self._keep(pass_on(back, writer))
