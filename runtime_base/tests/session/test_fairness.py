"""What sessions share in a process: slots go round by key, and whatever waits is bounded (`session/pool.py`)."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from rspp_runtime.providers.contract import Cancelled, Outcome, ProviderError
from rspp_runtime.session import pool as pools
from rspp_runtime.session import virtual
from rspp_runtime.session.pool import Pool


class Call:
    """Of a session's driver: what the pool knows of it."""

    def __init__(self) -> None:
        self.cancelled = self.forced = False
        self.on_cancel: Callable[[], object] | None = None

    def cancel(self) -> None:
        self.cancelled = True
        if self.on_cancel is not None:
            self.on_cancel()


class Shop:
    """Slots, and who had them, in order."""

    def __init__(self, size: int = 1, waiting_max: int = 64) -> None:
        self.pool = Pool("shop:serve", size, waiting_max)
        self.served: list[str] = []
        self.waited: list[tuple[str, float]] = []
        self.most = self._inside = 0

    async def once(self, key: str, work_s: float = 0.1, call: Call | None = None) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await self.pool.take(key, call or Call(), 1000.0)  # type: ignore[arg-type]
        self._inside += 1
        self.most = max(self.most, self._inside)
        self.served.append(key)
        self.waited.append((key, loop.time() - begun))
        await asyncio.sleep(work_s)
        self._inside -= 1
        self.pool.give_back()

    async def again_and_again(self, key: str, times: int, work_s: float = 0.1) -> None:
        for _ in range(times):
            await self.once(key, work_s)


def run(main: Coroutine[Any, Any, None]) -> None:
    virtual.run(main, virtual=True)


@pytest.mark.feature("F-109", "neighbours")
@pytest.mark.feature("F-174", "no_starvation")
@pytest.mark.feature("NF-033", "service", "zero")
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("sessions", [2, 10, 40])
def test_a_small_tenant_has_its_share_beside_a_large_one(size: int, sessions: int) -> None:
    """However many sessions of the large one ask at the same time, as often as they can."""
    shop = Shop(size)

    async def main() -> None:
        large = [asyncio.create_task(shop.again_and_again("large", 1000)) for _ in range(sessions)]
        await asyncio.sleep(0.35)  # the large one has it all to itself, and a queue
        await shop.again_and_again("small", 50)
        for task in large:
            task.cancel()

    run(main())
    first = shop.served.index("small")
    window = shop.served[first:]
    window = window[: len(window) - window[::-1].index("small")]
    assert window.count("small") == 50
    at = [place for place, key in enumerate(window) if key == "small"]
    # Every other slot; with several that end in one moment, some go on before it is back in the line.
    assert max(after - before for before, after in itertools.pairwise(at)) <= 2 * size
    waits = [wait for key, wait in shop.waited if key == "small"]
    assert waits[0] <= 0.2 + 1e-6  # who is new waits one round
    assert max(waits[1:]) <= 0.1 + 1e-6  # and from then on no longer than one call takes
    assert shop.most == size


def test_whoever_waits_is_served_in_turn_whatever_comes() -> None:
    """Random keys, loads and times: between two slots of a key that waits, every other has one at most."""
    for seed in range(20):
        chance = random.Random(seed)
        keys = {f"k{number}": chance.randrange(1, 12) for number in range(chance.randrange(2, 8))}
        shop = Shop(1)

        async def main(keys: dict[str, int] = keys, shop: Shop = shop) -> None:
            await asyncio.gather(
                *(shop.again_and_again(key, 20, 0.1) for key, sessions in keys.items() for _ in range(sessions))
            )

        run(main())
        assert Counter(shop.served) == {key: 20 * sessions for key, sessions in keys.items()}
        while_all_wait = shop.served[: 18 * len(keys)]
        for place in range(len(keys), len(while_all_wait) - len(keys)):  # who came first was served without a wait
            assert len(set(while_all_wait[place : place + len(keys)])) == len(keys), (seed, place)


def test_new_keys_wait_one_round_and_starve_nobody() -> None:
    """A hundred sessions that come one after the other, each by a key of its own, beside two that stay."""
    shop = Shop(1)

    async def main() -> None:
        staying = [asyncio.create_task(shop.again_and_again(key, 20)) for key in ("a", "b")]
        coming = []
        for number in range(100):
            coming.append(asyncio.create_task(shop.once(f"new{number}")))
            await asyncio.sleep(0.1)
        await asyncio.gather(*staying, *coming)

    run(main())
    assert max(wait for key, wait in shop.waited if key in ("a", "b")) < 3.0


def test_within_a_key_who_came_first_is_first() -> None:
    shop, order = Shop(1), list[int]()

    async def one(number: int) -> None:
        await shop.pool.take("a", Call(), 10.0)  # type: ignore[arg-type]
        order.append(number)
        await asyncio.sleep(0.1)
        shop.pool.give_back()

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(10)))

    run(main())
    assert order == list(range(10))


def refusal(shop: Shop, key: str) -> ProviderError:
    async def ask() -> None:
        await shop.pool.take(key, Call(), 1.0)  # type: ignore[arg-type]

    with pytest.raises(ProviderError) as raised:
        run_now(ask())
    return raised.value


def run_now(work: Coroutine[Any, Any, None]) -> None:
    """It must be refused before anything is waited for."""
    try:
        work.send(None)
    except StopIteration:
        return
    pytest.fail("it waits")


@pytest.mark.feature("F-123", "excess")
def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "KEYS_MAX", 3)
    shop = Shop(1, waiting_max=2)

    async def main() -> None:
        tasks = [asyncio.create_task(shop.once(key)) for key in ("a", "a", "a", "b", "c")]
        await asyncio.sleep(0)
        full, many = refusal(shop, "a"), refusal(shop, "d")
        assert (full.outcome, many.outcome) == (Outcome.OVERLOAD, Outcome.OVERLOAD)
        assert "2 calls of shop:serve wait" in full.reason
        assert "3 keys wait for shop:serve" in many.reason
        await asyncio.gather(*tasks)
        await shop.once("d")

    run(main())
    assert len(shop.served) == 6


@pytest.mark.parametrize("how", ["cancelled", "forced", "too long"])
def test_one_that_does_not_wait_any_longer_leaves_its_place(how: str) -> None:
    shop, call = Shop(1), Call()
    ended: list[str] = []

    async def impatient() -> None:
        try:
            await shop.pool.take("b", call, 0.25)  # type: ignore[arg-type]
        except (Cancelled, ProviderError, asyncio.CancelledError) as error:
            ended.append(type(error).__name__)
            raise

    async def main() -> None:
        tasks = [asyncio.create_task(shop.once("a", 0.5))]
        await asyncio.sleep(0)
        waiting = asyncio.create_task(impatient())
        tasks.append(asyncio.create_task(shop.once("b")))
        await asyncio.sleep(0.1)
        if how == "cancelled":
            call.cancel()
        elif how == "forced":
            call.forced = True
            waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert asyncio.get_running_loop().time() == pytest.approx(0.25 if how == "too long" else 0.1)
        await asyncio.gather(*tasks)
        await shop.once("c")  # no slot was lost

    run(main())
    assert ended == [{"cancelled": "Cancelled", "forced": "CancelledError", "too long": "ProviderError"}[how]]
    assert shop.served == ["a", "b", "c"]


def test_a_slot_that_comes_in_the_moment_of_the_end_is_given_on() -> None:
    shop, call = Shop(1), Call()

    async def main() -> None:
        await shop.pool.take("a", Call(), 1.0)  # type: ignore[arg-type]
        waiting = asyncio.create_task(shop.pool.take("b", call, 1.0))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        shop.pool.give_back()
        call.forced = True
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(shop.once("c"), 1.0)

    run(main())
    assert shop.served == ["c"]


def test_only_so_many_keys_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "KEYS_MAX", 8)
    shop = Shop(1)

    async def main() -> None:
        for number in range(100):
            await shop.once(f"k{number}", 0.0)

    run(main())
    assert len(shop.pool._served) == 8
    assert not shop.pool._waiting
