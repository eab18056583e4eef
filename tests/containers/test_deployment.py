"""The manifests' Deployment in podman: a full pod within its limit of memory, ended as a kubelet ends it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from containers import SESSIONS, Built, Podman, bearer, status
from pods import Caller, pods, rendered

TURNS = 4
THINKS_S = 0.7


def test_podman_plays_the_deployment(podman: Podman, image: Built, signing: Path, logs: Path) -> None:
    deployment = rendered(image)
    with pods(podman, {"one": deployment}, signing, logs) as (pod,):
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
            """As many as the pod was sized for, within its limit of memory."""
            callers = [Caller(number) for number in range(SESSIONS)]
            token = bearer(signing)
            async with asyncio.timeout(120):
                await asyncio.gather(
                    *(
                        caller.talk(pod.port, token, lambda one: len(one.answers) == TURNS, THINKS_S)
                        for caller in callers
                    )
                )
            return callers

        callers = asyncio.run(crowd())
        assert [len(caller.answers) for caller in callers] == [TURNS] * SESSIONS
        state: Any = podman.inspect(pod.container)["State"]
        assert state["OOMKilled"] is False
        assert state["Running"] is True
        assert pod.terminate() == 0
