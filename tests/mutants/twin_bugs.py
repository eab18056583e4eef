"""Bugs for the twin: (what is wrong, file, the right text, the wrong text)."""

from __future__ import annotations

TWIN: dict[str, tuple[str, str, str, str]] = {
    "a_holder_keeps_the_calls": (
        "who takes a session over leaves the old process' invocations alive", "handoff.py",
        "        invocations.cancel_all(s, node)\n", "",
    ),
    "a_holder_keeps_what_waited": (
        "who takes a session over goes on with what waited", "handoff.py",
        "        edges.flush(s, edge)\n", "        pass\n",
    ),
    "a_holder_knows_what_was_not_kept": (
        "the conversation goes on though its texts were not kept", "handoff.py",
        "        s.context.clear()\n", "        pass\n",
    ),
    "a_migration_without_an_end": (
        "a migration that began is not told to have ended", "handoff.py",
        "    decide(s, Signal.MIGRATION_FINISH, x=s.epoch)\n", "",
    ),
    "a_holder_goes_on_at_the_old_epoch": (
        "who takes a session over does not raise its epoch", "handoff.py",
        "    s.revoked = False\n    decide(s, Signal.LEASE_ROTATED, x=epoch)\n",
        "    s.revoked = False\n    s.epoch = epoch - 1\n    decide(s, Signal.LEASE_ROTATED, x=epoch)\n",
    ),
    "a_holder_is_connected_at_once": (
        "a session that is taken over opens turns before anybody is connected", "handoff.py",
        "        s.state = SessionState.DEGRADED\n", "        pass\n",
    ),
    "letters_of_earlier_calls": (
        "a node that fails is shown to have failed with what it was given before", "letters.py",
        "    if anew:\n        node.letters.clear()\n    elif", "    if",
    ),
    "a_failure_in_silence": (
        "what a node could not work on is not shown", "letters.py",
        "        if len(s.telemetry_out) < s.plan.telemetry_out_max:\n", "        if False:\n",
    ),
    "a_path_has_twice_its_time": (
        "the budget of a path ends at twice its limit", "paths.py",
        "= path.began_ns + path.plan.limit_ns\n", "= path.began_ns + 2 * path.plan.limit_ns\n",
    ),
    "a_path_goes_on_for_ever": (
        "what leaves a path at its end does not stop its budget", "paths.py",
        "        path.progress = Progress.OVER\n        s.stop(", "        s.timers.get(",
    ),
    "apologises_for_apologies": (
        "an apology that fails is excused again", "apologies.py",
        "return cause in _FAILURES and not s.turn.is_apology", "return cause in _FAILURES",
    ),
    "apologises_for_cancels": (
        "a turn that was cancelled is excused", "apologies.py",
        "    Cause.PROVIDER_FAILURE,\n", "    Cause.PROVIDER_FAILURE,\n    Cause.CANCELLED,\n",
    ),
    "apologises_too_often": (
        "there is no time between two apologies", "apologies.py", " and s.now >= s.apology_due_ns", "",
    ),
    "a_label_under_a_new_number": (
        "a label gives what it lets through a sequence of its own", "moving.py",
        "        edges.push(s, out, parcel)\n", "        edges.push(s, out, replace(parcel, seq=s.next_seq()))\n",
    ),
    "labels_add_up": (
        "a second label is added to the first", "moving.py",
        "labelled(parcel.flags | marks, node.plan.label)", "parcel.flags | marks | labelled(0, node.plan.label)",
    ),
    "a_label_that_overfills": (
        "a label lets items through to a full edge", "moving.py",
        "all(edges.takes_largest(node, out, 1) for out", "all(True for out",
    ),
    "selects_twice": (
        "a select chooses anew within a turn", "joins.py",
        "            state.chosen = place\n", "            state.chosen = -1\n",
    ),
    "chosen_flow_is_dropped": (
        "a select drops the flow that it chose", "joins.py",
        "sources[node.join.chosen] != edge.plan.id", "sources[node.join.chosen] == edge.plan.id",
    ),
    "peers_move_alone": (
        "each edge of a domain moves by itself", "sync.py",
        "    return is_atomic(edge) and len(peers(s, edge)) > 1\n", "    return False\n",
    ),
    "credit_is_lost_on_the_way": (
        "an edge grants one place more than it adds", "edges.py",
        "            edge.credit += owed\n", "            edge.credit += owed - 1\n",
    ),
    "credit_is_never_given_back": (
        "the places of an edge with credit are granted once", "edges.py",
        "owed >= max(1, plan.items_max // 4):", "owed >= plan.items_max + 1:",
    ),
    "credit_is_free": (
        "an item takes no credit", "edges.py",
        "    edge.credit = max(0, edge.credit - 1)\n", "",
    ),
    "gap_without_a_mark": (
        "a loss in a sync domain is not told", "sync.py",
        "    decide(s, Signal.DISCONTINUITY, cause, node=edge.plan.id, x=s.discontinuities)\n", "",
    ),
    "mark_without_a_gap": (
        "every item is said to follow a gap", "moving.py",
        "marks = Flag.DISCONTINUITY if edge.gap else 0", "marks = Flag.DISCONTINUITY if edge.plan.sync else 0",
    ),
    "ring_one_too_long": (
        "an edge takes one item more than its bound", "edges.py",
        "return len(edge.items) < edge.plan.items_max and", "return len(edge.items) <= edge.plan.items_max and",
    ),
    "unbounded_edge": (
        "an edge has no bound at all", "edges.py",
        "return len(edge.items) < edge.plan.items_max and edge.bytes + size <= edge.plan.bytes_max", "return True",
    ),
    "silent_drop": (
        "what is shed has no notice", "edges.py",
        "        decide(s, Signal.DROP_NOTICE, cause, node=edge.plan.id, x=gone[0].seq, y=gone[-1].seq)\n", "",
    ),
    "notice_off_by_one": (
        "a drop notice names one sequence too many", "edges.py",
        "cause, node=edge.plan.id, x=gone[0].seq, y=gone[-1].seq)",
        "cause, node=edge.plan.id, x=gone[0].seq, y=gone[-1].seq + 1)",
    ),
    "silent_flush": (
        "what a cancel flushes has no notice", "edges.py",
        "        decide(s, Signal.DROP_NOTICE, Cause.CANCEL_FLUSH, node=edge.plan.id, x=first, y=last)\n", "",
    ),
    "lost_xon": (
        "an edge that was stopped is never started", "edges.py",
        "                edge.xoff = False\n                decide(s, Signal.FLOW_XON, node=edge.plan.id)\n",
        "                edge.xoff = False\n",
    ),
    "lost_resume": (
        "a producer that was told FULL waits for ever", "edges.py",
        "        request(s, Op.RESUME, node=node.plan.id, invocation=call.id if call else 0)\n", "",
    ),
    "age_doubled": (
        "items live twice as long as they may", "edges.py",
        "if s.now - entered <= age:", "if s.now - entered <= 2 * age:",
    ),
    "newest_first": (
        "an edge is a stack", "edges.py", "_, parcel = edge.items.popleft()", "_, parcel = edge.items.pop()",
    ),
    "leaked_credit": (
        "each credit gives one item less than was taken", "gateway.py",
        "node.inflight -= max(0, min(event.a, node.inflight))",
        "node.inflight -= max(0, min(event.a, node.inflight) - 1)",
    ),
    "window_off_by_one": (
        "one item more than the window is fed", "moving.py",
        "node.inflight >= node.plan.window", "node.inflight > node.plan.window",
    ),
    "grace_one_ns_longer": (
        "a cancel gives more than the grace", "invocations.py",
        "deadline = s.now + s.plan.grace_ns", "deadline = s.now + s.plan.grace_ns + 1",
    ),
    "no_force": (
        "nothing happens when the grace is over", "invocations.py",
        "    s.timers[s.grace_timer(identity)] = deadline\n", "",
    ),
    "no_first_deadline": (
        "a silent provider is waited for", "invocations.py",
        "if first and identity != s.plan.recogniser:", "if False:",
    ),
    "finished_call_stays": (
        "an invocation that is done keeps its slot", "invocations.py",
        "    forget(s, node, call)\n    tools.over(", "    tools.over(",
    ),
    "failure_ignored": (
        "a provider's failure without a reaction does not end the turn", "invocations.py",
        "    if not handled and needed:\n", "    if False:\n",
    ),
    "swapped_precedence": (
        "the weakest end wins", "turns.py", "ends = sorted(s.turn.ends)", "ends = sorted(s.turn.ends, reverse=True)",
    ),
    "lost_close": (
        "an aborted turn is not closed", "turns.py",
        "    decide(s, Signal.CLOSE)\n", "    if not append:\n        decide(s, Signal.CLOSE)\n",
    ),
    "two_terminals": (
        "an aborted turn aborts twice", "turns.py",
        "    decide(s, Signal.ABORT, cause)\n",
        "    decide(s, Signal.ABORT, cause)\n    decide(s, Signal.ABORT, cause)\n",
    ),
    "commit_without_evidence": (
        "a turn commits when it has asked for its evidence", "turns.py",
        "    s.turn.evidence_asked = True\n", "    s.turn.evidence_asked = True\n    commit(s)\n    return True\n",
    ),
    "commit_before_it_was_played": (
        "a turn ends while its answer still plays", "turns.py",
        "played = not s.turn.playing or not (reports.sounds(s) or s.egress.unsent)", "played = True",
    ),
    "no_total": (
        "a turn may last for ever", "turns.py", "    s.timers[TOTAL] = s.now + s.plan.turn_total_ns\n", "",
    ),
    "budget_doubled": (
        "a turn has twice its budget", "turns.py",
        "turn.input_end_ns + s.plan.turn_ns\n", "turn.input_end_ns + 2 * s.plan.turn_ns\n",
    ),
    "no_evidence_deadline": (
        "evidence is waited for", "turns.py", "    s.timers[EVIDENCE] = s.now + s.plan.evidence_ns\n", "",
    ),
    "abort_without_record": (
        "an aborted turn leaves no evidence", "turns.py", "_close(s, append=True)", "_close(s, append=False)",
    ),
    "no_transport_flush": (
        "the transport plays on after a cancel", "turns.py",
        "        request(s, Op.FLUSH, node=s.plan.egress, turn=s.turn.serial)\n", "",
    ),
    "opens_when_revoked": (
        "a session without authority opens turns", "turns.py", "    if s.revoked:\n", "    if False:\n",
    ),
    "opens_with_stale_snapshot": (
        "a stale snapshot admits", "turns.py", "    if s.snapshot in _SNAPSHOTS:\n", "    if s.snapshot == 9:\n",
    ),
    "wrong_plan_hash": (
        "the plan's hash names another mode", "turns.py",
        '"mode": s.plan.modes[s.mode].name', '"mode": s.plan.modes[-1].name',
    ),
    "deferred_forgotten": (
        "what was deferred never begins", "turns.py",
        "if s.deferred is not None and not s.ending", "if False and not s.ending",
    ),
    "open_fence": (
        "everything passes the fence", "outputs.py",
        "return s.active and output.turn == s.turn.serial and epoch == s.epoch and not s.revoked", "return True",
    ),
    "fence_off_by_one": (
        "the turn before passes the fence too", "outputs.py",
        "return s.active and output.turn == s.turn.serial and epoch",
        "return s.turn.serial - 1 <= output.turn and epoch",
    ),
    "refusal_not_recorded": (
        "what the fence refuses vanishes", "outputs.py",
        "                taken.append(_refuse(s, output))\n", "                pass\n",
    ),
    "telemetry_first": (
        "telemetry leaves before control", "outputs.py",
        "    taken = list(s.control_out)\n",
        "    taken = [*s.telemetry_out, *s.control_out]\n    s.telemetry_out.clear()\n",
    ),
    "sequence_with_gaps": (
        "now and then a sequence is nobody's", "state.py",
        "        self.seq += 1\n", "        self.seq += 1 + (self.seq % 97 == 0)\n",
    ),
    "no_pacing": (
        "audio is sent far ahead of playback", "moving.py",
        " or s.egress.cursor_ns - s.now > s.plan.lead_ns:", ":",
    ),
    "overlapping_playback": (
        "frames are to play at once", "moving.py",
        "egress.cursor_ns = max(egress.cursor_ns, s.now)", "egress.cursor_ns = s.now",
    ),
    "asleep_while_audio_waits": (
        "nobody is woken for the next frame", "session.py",
        "(moving.wake_for_egress(s), joins.wakes_ns(s))", "(joins.wakes_ns(s),)",
    ),
    "old_epochs_accepted": (
        "inputs of an earlier epoch are taken", "session.py",
        "if fenced and event.epoch != s.epoch:", "if fenced and event.epoch > s.epoch:",
    ),
    "cancel_ignored": (
        "the user's stop does nothing", "session.py",
        "            turns.cancel(s, Cause.USER)\n", "            pass\n",
    ),
    "barge_in_ignored": (
        "speech over an answer is not noticed", "session.py",
        "if found == s.plan.speech_start and s.active and s.plan.barge_in >= 0:", "if False:",
    ),
    "degraded_twice": (
        "a turn goes from one mode to the next", "reactions.py",
        "if s.active and _takes_away(s, target):", "if s.active:",
    ),
    "interrupted_a_word_early": (
        "one word fewer than the guard asks for interrupts", "guards.py",
        'return s.speech.words if name == "spoken"', 'return s.speech.words + 1 if name == "spoken"',
    ),
    "interrupted_again_and_again": (
        "a line acts with every word of one interruption", "reactions.py",
        " or (interrupts and reaction.id in s.speech.acted)", "",
    ),
    "events_forgotten": (
        "what a decision raises while another event waits is lost", "events.py",
        "if is_raised and _is_of(s, event, decision):", "if is_raised and not s.raised and _is_of(s, event, decision):",
    ),
    "guarded_failure_always_handled": (
        "a line whose guard does not hold saves the turn", "reactions.py",
        "    acted = False\n    interrupts",
        "    acted = any(r.event == happened.event for r in s.plan.reactions)\n    interrupts",
    ),
    "cap_passed": (
        "the last thing before a cap may pass it", "spending.py",
        "meter.used.get(counted, 0) + much > limit", "meter.used.get(counted, 0) > limit",
    ),
    "spent_and_going_on": (
        "a block that reached its cap begins again", "spending.py", "    meter.spent = True\n", "",
    ),
    "mute_model": (
        "a model may say nothing for as long as it likes", "gateway.py",
        "s.timers[s.first_timer(identity)] = node.speak_due_ns", "s.stop(s.first_timer(identity))",
    ),
    "duplicates_taken": (
        "what a client sends again is taken again", "gateway.py",
        "if key == event.invocation]", "if key == -event.invocation]",
    ),
    "words_run_together": (
        "parts of an utterance are joined without a space", "hearing.py",
        '            s.hearing.join += b" "\n', '            s.hearing.join += b""\n',
    ),
    "pause_plays_on": (
        "the transport plays on in a pause", "pauses.py",
        "        request(s, Op.FLUSH, node=s.plan.egress, turn=s.turn.serial)\n", "",
    ),
    "pause_forgets": (
        "what a pause took back is not heard", "pauses.py",
        "        egress.unsent += ahead\n", "        egress.ledger.clear()\n        ahead = 0\n",
    ),
    "pause_is_not_silent": (
        "frames leave in a pause", "pauses.py", "return s.egress.paused or s.egress.unsent > 0", "return False",
    ),
    "pause_for_ever": (
        "a pause that nobody ends", "pauses.py", "    s.timers[s.pause_timer] = s.now + s.plan.pause_ns\n", "",
    ),
    "resumes_at_the_end": (
        "playback goes on with the last frame", "pauses.py",
        "egress.ledger[len(egress.ledger) - egress.unsent]", "egress.ledger[-1]",
    ),
    "more_than_was_sent": (
        "a report of more than was sent is believed", "reports.py", " or event.b > egress.cursor_ns:", ":",
    ),
    "reports_of_other_turns": (
        "a report of any turn is believed", "reports.py", " and event.a == s.turn.serial\n", "\n",
    ),
    "reports_that_go_back": (
        "a report behind the last one is believed", "reports.py",
        "event.b < max(egress.began_ns, egress.reported_ns)", "event.b < egress.began_ns",
    ),
    "heard_before_its_time": (
        "what is reported was heard, though its time has not come", "reports.py",
        "_heard_until(s, min(s.now, s.egress.reported_ns))", "_heard_until(s, s.egress.reported_ns)",
    ),
    "reports_are_ignored": (
        "what was heard goes by time, whatever is reported", "reports.py",
        "_heard_until(s, min(s.now, s.egress.reported_ns))", "_heard_until(s, s.now)",
    ),
    "awaited_for_ever": (
        "who does not report holds a turn open", "reports.py",
        " and s.now < egress.cursor_ns + s.plan.stall_ns\n", "\n",
    ),
    "awaited_too_long": (
        "who does not report has twice its time", "reports.py",
        " and s.now < egress.cursor_ns + s.plan.stall_ns\n", " and s.now < egress.cursor_ns + 2 * s.plan.stall_ns\n",
    ),
    "not_awaited": (
        "a turn does not wait for reports", "reports.py", "s.egress.cursor_ns > s.now or is_awaited(s)",
        "s.egress.cursor_ns > s.now",
    ),
    "begins_only_if_reported": (
        "a party that says nothing is never said to have begun", "reports.py",
        "    if s.egress.reported_ns < 0 and s.now < s.egress.began_ns + s.plan.stall_ns:\n",
        "    if s.egress.reported_ns < 0:\n",
    ),
    "an_estimate_as_a_report": (
        "what nobody has reported is said to be reported", "reports.py",
        "    if egress.basis is not Basis.PACED and egress.reported_ns >= 0:\n",
        "    if egress.basis is not Basis.PACED:\n",
    ),
    "soft_for_ever": (
        "a soft cancel has no deadline", "stopping.py",
        "    s.timers.setdefault(s.stop_timer, s.now + s.plan.soft_ns)\n",
        "    s.timers.setdefault(s.stop_timer, s.now + 20 * s.plan.soft_ns)\n",
    ),
    "soft_gives_more_to_do": (
        "who is to stop is given what comes", "stopping.py",
        "return node.stopping or (s.turn.stopping and node.plan.scope == TURN)", "return False",
    ),
    "settled_too_soon": (
        "what is reported while a word is ended does not count", "stopping.py",
        "    voices = any(", "    reports.settle(s)\n    voices = any(",
    ),
    "a_second_pause_forgets": (
        "what a first pause left unsent is lost in a second one", "pauses.py",
        "        egress.unsent += ahead\n", "        egress.unsent = ahead\n",
    ),
    "a_mark_stays_behind": (
        "a label keeps the mark of a gap to itself", "moving.py",
        "labelled(parcel.flags | marks, node.plan.label)", "labelled(parcel.flags, node.plan.label)",
    ),
    "soft_goes_on_talking": (
        "behind the word of a soft cancel comes the next", "stopping.py",
        "return last >= s.turn.words_until", "return last >= s.turn.words_until + 2",
    ),
    "calls_without_end": (
        "a model calls tools as often as it likes", "tools.py",
        "    if node.calls >= node.plan.calls_max or full:\n", "    if full:\n",
    ),
    "call_of_nobody": (
        "a call begins whose caller is gone", "tools.py",
        "    if _is_orphan(s, edge, parcel):\n", "    if False:\n",
    ),
    "two_calls_at_once": (
        "a tool begins while its last call is being cancelled", "tools.py",
        " or node.ending is not None or node.cancelling\n", " or node.ending is not None\n",
    ),
    "answer_to_another_call": (
        "an answer carries the number of the next call", "tools.py",
        "flags, caller.number, 0, payload", "flags, caller.number + 1, 0, payload",
    ),
    "failed_after_all": (
        "who was answered is told that the call failed", "tools.py",
        "if caller is None or call.answered or", "if caller is None or",
    ),
    "soft_without_a_deadline": (
        "a soft tool may run on after its timeout", "invocations.py",
        "deadline = max(deadline, s.timers.get(s.first_timer(identity), 0))",
        "deadline = max(deadline, 2 * s.timers.get(s.first_timer(identity), 0))",
    ),
    "held_for_ever": (
        "the deadlines of a model do not run again", "tools.py",
        "        s.timers[s.first_timer(model.plan.id)] = model.held_first + waited\n", "        pass\n",
    ),
    "soft_begins_anew": (
        "in a soft cancel somebody is given more to do", "moving.py",
        "if stopping.holds(s, node):", "if False:",
    ),
}  # fmt: skip
