"""Bugs for the compiled kernel of the stub assistant: (what is wrong, file, the right text, the wrong text)."""

from __future__ import annotations

COMPILED: dict[str, tuple[str, str, str, str]] = {
    "interruption_ignored": (
        "a barge-in cancels nothing", "_kernel.pyx", "    reactions.cancel_turn(core, CAUSE_BARGE_IN)\n", "    pass\n",
    ),
    "grace_too_long": (
        "a cancel gives one ns more than the grace", "_layout.pxd",
        "GRACE_NS        =    75000000", "GRACE_NS        =    75000001",
    ),
    "marks_stay_relative": (
        "a second answer counts its words from nought", "_kernel.pyx",
        "        gateway.make_marks_absolute(event, invocation)\n", "",
    ),
    "stages_in_any_order": (
        "a node is complete before those upstream", "_kernel.pyx",
        " & ~complete) == 0 and (complete", " & ~complete) == 0 or (complete",
    ),
    "commit_before_it_was_played": (
        "a turn ends while its answer plays", "_kernel.pyx", " and turns.everything_played(core):", ":",
    ),
    "hand_off_forgets_the_rest": (
        "text after the sentence end is lost", "_kernel.pyx",
        "        edges.keep_rest(\n", "        0 and edges.keep_rest(\n",
    ),
}  # fmt: skip
