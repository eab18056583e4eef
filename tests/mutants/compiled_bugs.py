"""Bugs for the compiled kernel: (what is wrong, file, the right text, the wrong text).

`COMPILED` are of the generated kernel of the stub assistant, which `hunt.py` builds with each of them. `RUNTIME` are of
the runtime's part, a line each: `sweep.py seeded` builds one runtime with all of them.
"""

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

RUNTIME: dict[str, tuple[str, str, str, str]] = {
    "more_than_was_sent": (
        "a report of more than was sent is believed", "reports.pyx",
        "    elif place_ns > ledger.cursor_ns:", "    elif place_ns > ledger.cursor_ns + MS_NS * 1000:",
    ),
    "reports_of_other_turns": (
        "a report of any turn is believed", "reports.pyx",
        "    elif core.turn.state != TURN_ACTIVE or not core.turn.playing or turn != core.turn.serial:",
        "    elif core.turn.state != TURN_ACTIVE or not core.turn.playing:",
    ),
    "reports_that_go_back": (
        "a report behind the last one is believed", "reports.pyx",
        "    elif place_ns < ledger.began_ns or place_ns < ledger.reported_ns:", "    elif place_ns < ledger.began_ns:",
    ),
    "reports_are_ignored": (
        "what was heard goes by time, whatever is reported", "reports.pyx",
        "        update_ledger(core)", "        heard_until(core, core.now_ns)",
    ),
    "an_estimate_as_a_report": (
        "what nobody has reported is said to be reported", "reports.pyx",
        "    if ledger.basis == BASIS_PACED or ledger.reported_ns < 0:", "    if ledger.basis == BASIS_PACED:",
    ),
    "reported_once_and_for_all": (
        "how old a report is counts from the first word on", "reports.pyx",
        "    ledger.reported_at_ns = core.now_ns", "    ledger.reported_at_ns = ledger.began_ns",
    ),
    "asleep_while_awaited": (
        "nobody is woken when a party's time to report is over", "reports.pyx",
        "    elif is_awaited(core):", "    elif False:",
    ),
    "asleep_before_it_begins": (
        "nobody is woken when a playback should have begun", "reports.pyx",
        "    if not core.turn.started:", "    if False:",
    ),
    "unreported_and_not_said": (
        "a playback that nobody reported to the end is as good as one that was", "reports.pyx",
        "    decide_heard(core, SIGNAL_PLAYBACK_COMPLETED, CAUSE_NOT_REPORTED if late else 0)",
        "    decide_heard(core, SIGNAL_PLAYBACK_COMPLETED, 0)",
    ),
    "a_second_pause_forgets": (
        "what a first pause left unsent is lost in a second one", "pauses.pyx",
        "        pause.unsent += ahead", "        pause.unsent = ahead",
    ),
    "where_it_stopped_is_not_asked": (
        "after a pause playback goes on by time, wherever the party has stopped", "pauses.pyx",
        "        pause.unsent = core.ledger.tail - core.ledger.head    # the party has said where it stopped",
        "        pass",
    ),
}  # fmt: skip
