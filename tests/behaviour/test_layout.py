"""What the compiler says about a kernel's memory and interface is what the C compiler made of it."""

from __future__ import annotations

import pytest
import render
from build import committed
from kernels import compiled, plan_of
from plans import PLANS

from rspp_compiler.emit.kernel_view import kernel_files
from rspp_compiler.ir import abi as compiler_abi
from rspp_compiler.ir import memory
from rspp_runtime.abi import ABI_HASH
from rspp_runtime.kernel import session


def test_struct_sizes_are_those_of_the_runtime() -> None:
    assert session.struct_sizes() == {
        "Core": memory.CORE_BYTES,
        "Node": memory.NODE_BYTES,
        "Edge": memory.EDGE_BYTES,
        "Pool": memory.POOL_BYTES,
        "Header": memory.HEADER_BYTES,
        "Output": memory.OUTPUT_BYTES,
        "Entry": memory.ENTRY_BYTES,
        "Played": memory.PLAYED_BYTES,
        "Key": memory.KEY_BYTES,
        "Message": memory.MESSAGE_BYTES,
        "Attempts": memory.ATTEMPTS_BYTES,
        "Join": memory.JOIN_BYTES,
        "Pause": memory.PAUSE_BYTES,
        "Stopping": memory.STOPPING_BYTES,
        "Keys": memory.KEYS_BYTES,
        "Letters": memory.LETTERS_BYTES,
        "Circuit": memory.CIRCUIT_BYTES,
        "Happened": memory.HAPPENED_BYTES,
        "Speech": memory.SPEECH_BYTES,
        "Sync": memory.SYNC_BYTES,
        "Meter": memory.METER_BYTES,
        "Spending": memory.SPENDING_BYTES,
        "Calling": memory.CALLING_BYTES,
        "Apologies": memory.APOLOGIES_BYTES,
        "Path": memory.PATH_BYTES,
        "Paths": memory.PATHS_BYTES,
    }


@pytest.mark.parametrize("name", sorted(PLANS))
def test_memory_is_known_to_the_byte(name: str) -> None:
    plan = render.for_compiler(plan_of(name))
    actual = compiled(name)(plan_of(name), "x", 1, [None, None]).stats()["memory_bytes"]
    assert memory.memory_bytes(plan) == actual
    assert sum(block.total for block in memory.memory_table(plan)) == actual
    assert all(block.total == block.number * block.each for block in memory.memory_table(plan))


@pytest.mark.parametrize("name", sorted(PLANS))
def test_committed_stubs_are_what_the_templates_render(name: str) -> None:
    """`python runtime_base/tests/stub/render.py` renders them anew."""
    assert committed(name) == render.rendered(name)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_same_plan_same_bytes(name: str) -> None:
    plan = render.for_compiler(PLANS[name]())
    assert kernel_files(plan, "a.rspp") == kernel_files(plan, "a.rspp")


def test_compiler_and_runtime_speak_of_the_same_interface() -> None:
    assert compiler_abi.ABI_HASH == ABI_HASH


def test_a_slot_too_small_for_its_edge_is_refused() -> None:
    import dataclasses

    plan = PLANS["stub_assistant"]()
    small = dataclasses.replace(plan, pools=(dataclasses.replace(plan.pools[0], slot_bytes=639), *plan.pools[1:]))
    with pytest.raises(ValueError, match=r"voice -> egress.audio.*639 bytes, 640 needed"):
        kernel_files(render.for_compiler(small), "x.rspp")
