"""A rolling update in podman, under load: version 1 of a pipeline gives way to version 2, each a pod of its manifests.

podman plays the pods. What a cluster does around them is played here: probes and the Service by `Endpoints`, the update
by the test.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from containers import TYPED, Built, Podman, bearer
from pods import Caller, Endpoints, Pod, pods, rendered
from rspp_runtime.evidence.entries import Follows
from rspp_runtime.evidence.log import read

CALLERS = 4
REMEMBERED = 16  # messages of a conversation that a session holds
OLD, NEW = "1.0.0", "2.0.0"
FOLLOWED = "rspp_connection_events_total"


def has_gone_on(one: Caller) -> bool:
    """Two answers of the new version."""
    return one.versions.count(NEW) == 2


async def update(before: Pod, after: Pod, token: str) -> tuple[list[Caller], Caller, Caller]:
    """All who talked: from before the update on; somebody who came while both versions answered; who came after that.

    Nobody waits between an answer and the next question.
    """
    callers = [Caller(number) for number in range(CALLERS)]
    between, late = Caller(CALLERS), Caller(CALLERS + 1)
    async with asyncio.timeout(90), Endpoints(before.port) as service, asyncio.TaskGroup() as talking:
        await service.until(before.port)
        for one in callers:
            talking.create_task(one.talk(service.port, token, has_gone_on))
        while not all(one.answers for one in callers):
            await asyncio.sleep(0.02)
        await asyncio.to_thread(after.start)
        service.ports.append(after.port)
        await service.until(before.port, after.port)
        assert {version for one in callers for version in one.versions} == {OLD}
        talking.create_task(between.talk(service.port, token, has_gone_on))
        ending = talking.create_task(asyncio.to_thread(before.terminate))
        await service.until(after.port)
        await late.talk(service.port, token, has_gone_on)
        assert await ending == 0, "it was not killed: nobody was left when its grace began to run out"
    return callers, between, late


def replayed(podman: Podman, image: Built, logs: Path, names: set[str]) -> None:
    """Logs verify: executed again by the version that wrote them, every decision is the same."""
    script = 'for log in "$@"; do python -m rspp_runtime.cli replay "$log" --package typed || exit 1; done'
    inside = ["-v", f"{logs}:/var/lib/rspp:ro", "-w", "/var/lib/rspp", "--entrypoint", "sh", image.tag, "-c", script]
    said = podman.run("run", "--rm", "--read-only", *inside, "sh", *sorted(names))
    print(said)


@pytest.mark.feature("NF-016", "policy", "no_silent_loss")
@pytest.mark.feature("F-106", "drains", "no_loss")
def test_version_1_to_2_under_load_loses_no_session(
    podman: Podman, typed: Built, next_typed: Built, signing: Path, logs: Path
) -> None:
    """Callers talk when version 1 is told to stop. Each question has its answer, once, in the session it began in."""
    releases = {"one": rendered(typed), "two": rendered(next_typed)}
    with pods(podman, releases, signing, logs, RSPP_SERVE_LEVEL="L1") as (before, after):
        before.start()
        callers, between, late = asyncio.run(update(before, after, bearer(signing, TYPED)))
        moved = [one for one in (*callers, between) if OLD in one.versions]
        assert after.sample(FOLLOWED, event="followed") == len(moved)
        state: Any = podman.inspect(after.container)["State"]
        assert (state["Running"], state["ExitCode"]) == (True, 0)
        assert after.terminate() == 0

    for one in (*callers, between, late):
        print(one.session, one.versions, one.resumed)
        assert all(answer.count("Hello") == answer.count("[commit]") == 1 for answer in one.answers), one.answers
        assert one.seen == sorted(set(one.seen)), "nothing twice, nothing out of order"
        assert one.versions == sorted(one.versions), "nobody went back"
    for one in callers:
        assert one in moved, "it was moved in the middle of its conversation"
    for one in moved:
        assert one.resumed >= 1
        assert one.welcome["moved"]["pipeline_version"] == OLD
        said = 2 * one.versions.count(OLD)
        assert one.welcome["moved"]["messages"] == min(said, REMEMBERED), "version 2 knows what was said before"
    assert (late.versions, late.resumed) == ([NEW, NEW], 0), "who came while version 1 drained was taken by version 2"

    left = {f"{one.session}.rspplog" for one in moved}
    taken = {f"{one.session}+2.rspplog" for one in moved}
    began = {f"{one.session}.rspplog" for one in (between, late) if one not in moved}
    assert {path.name for path in logs.glob("*.rspplog")} == left | taken | began
    for names, image, version in ((left, typed, OLD), (taken | began, next_typed, NEW)):
        assert {read(logs / name).header.pipeline_version for name in names} == {version}
        replayed(podman, image, logs, names)
    for one in moved:
        first, second = (read(logs / f"{one.session}{record}.rspplog") for record in ("", "+2"))
        (follows,) = [row for row in second.entries if isinstance(row, Follows)]
        assert follows.template_hash == first.header.template_hash != second.header.template_hash


def test_the_next_version_is_a_small_layer(podman: Podman, typed: Built, next_typed: Built) -> None:
    """Whoever has version 1 pulls one layer for version 2."""
    layers: list[Any] = [podman.inspect(one.tag)["RootFS"] for one in (typed, next_typed)]
    first, second = (one["Layers"] for one in layers)
    assert len(first) == len(second)
    assert [a == b for a, b in zip(first, second, strict=True)].count(False) == 1
