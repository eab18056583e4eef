"""Events that decisions raise wait, one of each, until their reactions run as a step of their own."""


from rspp_runtime.kernel.codes cimport (
    CAUSE_PROBE_DUE, SIGNAL_BUDGET_EXHAUSTED, SIGNAL_BUDGET_WARNING, SIGNAL_CIRCUIT_EVENT, SIGNAL_PLAYBACK_CANCELLED,
    SIGNAL_PLAYBACK_STARTED, SIGNAL_PROVIDER_ERROR, SIGNAL_PROVIDER_SWITCH,
)
from rspp_runtime.kernel.happened cimport Happened, Speech
from rspp_runtime.kernel.paths cimport FIRST_PATH
from rspp_runtime.kernel.state cimport Core, Output, bit


cdef void remember(Core* core, int which, Output* decision) noexcept nogil:
    """A decision has raised an event. What its reactions led to since the last input or timer raises it no more."""
    cdef Happened* happened = &core.raised[which]
    cdef int code = decision.code
    if core.chain & bit(which):
        return
    core.raised_events |= bit(which)
    happened.seq = decision.seq
    happened.epoch = core.epoch
    happened.turn = decision.turn
    happened.origin = core.turn.proposal.origin
    happened.cause = decision.cause
    happened.outcome = 0
    happened.retryable = False
    happened.provider = -1
    happened.attempts = 0
    happened.elapsed_ns = 0
    happened.heard = 0
    if code == SIGNAL_PROVIDER_ERROR:
        happened.outcome = <int> decision.x
        if decision.invocation != 0:
            happened.provider = decision.port
    elif code == SIGNAL_PROVIDER_SWITCH:
        happened.provider = <int> decision.y
    elif code == SIGNAL_CIRCUIT_EVENT:
        happened.provider = <int> decision.x
    elif SIGNAL_PLAYBACK_STARTED <= code <= SIGNAL_PLAYBACK_CANCELLED:
        happened.heard = decision.x
    if happened.provider >= 0 and decision.cause != CAUSE_PROBE_DUE:
        happened.attempts = attempts(core, decision.node)
    if (code == SIGNAL_BUDGET_WARNING or code == SIGNAL_BUDGET_EXHAUSTED) and decision.y <= FIRST_PATH:
        happened.provider = FIRST_PATH - <int> decision.y


cdef void speech_begins(Core* core) noexcept nogil:
    cdef Speech* speech = core.speech
    speech.speaking = True
    speech.onset_ns = core.now_ns
    speech.settled = 0
    speech.words = 0
    speech.idles = 0
    speech.turn = 0
    speech.acted = 0
    speech.due = False


cdef void speech_ends(Core* core) noexcept nogil:
    core.speech.speaking = False
    core.speech.due = False
    core.speech.quiet_ns = core.now_ns
