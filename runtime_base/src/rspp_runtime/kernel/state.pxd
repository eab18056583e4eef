"""The structs of a session. All of them lie in one block of memory, which a generated package lays out.

Times and durations are nanoseconds, sizes bytes, masks have one bit for each node or edge. The sizes of these structs
are repeated in the compiler (`rspp_compiler/layout/memory.py`) and asserted when a generated package is imported.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from rspp_runtime.kernel.accounts cimport Key, Meter, Spending
from rspp_runtime.kernel.budgets cimport Paths
from rspp_runtime.kernel.callers cimport Calling
from rspp_runtime.kernel.cancels cimport Pause, Stopping
from rspp_runtime.kernel.domains cimport Sync
from rspp_runtime.kernel.happened cimport Apologies, Happened, Speech
from rspp_runtime.kernel.ledger cimport Ledger

cdef enum:
    NOTHING = 0xFFFFFFFF     # no item: the handle that names none
    LABEL_SHIFT = 32         # where in an item's flags its label begins
    CONTROL_BYTES = 32       # payload of a control output: the plan hash of TURN_OPEN


cdef extern from *:
    """
    #define RSPP_OFF INT64_MAX
    #define RSPP_NO_KEY INT64_MIN
    #define RSPP_LABEL_MAX INT64_C(0xFFFF)
    #define RSPP_BIT(n) (UINT64_C(1) << (n))
    #define RSPP_LOWEST(mask) __builtin_ctzll(mask)
    """
    const int64_t OFF "RSPP_OFF"                  # deadline of a timer that is not on
    const int64_t NO_KEY "RSPP_NO_KEY"            # of no group of a sync domain
    const int64_t LABEL_MAX "RSPP_LABEL_MAX"
    uint64_t bit "RSPP_BIT"(int n) nogil
    int lowest "RSPP_LOWEST"(uint64_t mask) nogil


cdef enum:  # why a turn ends, most important first
    END_AUTHORITY = 1, END_CANCEL = 2, END_BUDGET = 4, END_ERROR = 8, END_DISCONNECT = 16


cdef enum:  # timer slots of the session; then three for each node, then two for each edge
    TIMER_TURN = 0, TIMER_WARNING = 1, TIMER_TOTAL = 2, TIMER_EVIDENCE = 3, TIMERS_SESSION = 4
    TIMER_FIRST = 0          # of a node: first output
    TIMER_CHUNK = 1          # between outputs
    TIMER_GRACE = 2          # between CANCEL and FORCE
    TIMERS_NODE = 3
    TIMER_HANDOFF = 0        # of an edge: the first pending text waited long enough
    TIMER_BLOCK = 1          # the producer waited long enough
    TIMERS_EDGE = 2


cdef enum:  # what may wait in the inbox
    ENTRY_CONTROL = 0        # port = `Control`
    ENTRY_DONE = 1
    ENTRY_EVENT = 2          # an output on an event port; event = its id, or -1 if nobody names it
    ENTRY_TEXT = 3           # typed text: proposes a turn


cdef enum:  # what came of trying to move an item
    MOVED = 0
    WAITS = 1                # for its target
    OUTPUTS_FULL = 2         # only because the data outputs are full
    CALM = 3                 # moved, and unless a decision was made of it, only another item can be next


cdef struct Header:
    # One item: 64 bytes. Edges and outputs name it by its index.
    int64_t seq              # runtime sequence
    int64_t media_ns, at_ns  # at_ns: when it was enqueued
    int64_t a, b             # see `abi.messages.Inbound`
    int64_t flags
    uint32_t turn            # serial of the turn it belongs to; 0 for none
    uint32_t size            # of its payload
    uint32_t offset          # of its payload, from the first byte of the payloads
    uint16_t refs            # edges and outputs that name it
    uint16_t pool


cdef struct Pool:
    # Slots of one size. `fresh` were never used: opening a session does not touch them.
    uint32_t free            # a list through `Header.size`
    uint32_t fresh
    uint32_t end             # handles of this pool: first <= h < end
    uint32_t first
    uint32_t offset          # of its first payload, from the first byte of the payloads
    uint32_t slot_bytes


cdef struct Edge:
    # A flow: a ring of handles, and for a hand-off the text that is not yet released.
    uint32_t* ring
    char* pending
    Sync* sync               # NULL: what it loses is nobody else's business
    int64_t bytes
    int64_t high             # most items that waited
    int64_t dropped
    int64_t merged           # items that live on in others
    int64_t gather_ns        # what comes within it goes on as one; 0 if the edge does not gather
    int64_t resume_items     # a producer that was held back goes on with no more than these
    int64_t high_items, low_items, high_ns, low_ns   # watermark: 0 where not used
    int64_t pending_bytes, pending_words
    int64_t pending_seq      # of the first part
    int64_t pending_media_ns
    int64_t pending_turn
    int64_t items_max
    int64_t bytes_max
    int64_t block_ns         # of a `block` in first place; 0 if it never gives up
    int64_t item_bytes_max   # of the port that it comes from
    uint32_t head
    uint32_t tail
    uint32_t mask
    int32_t credit           # items that the producer may still offer
    int32_t credit_lot       # places that are granted at once, at least; 0 if the producer needs no credit
    uint8_t blocks           # its producer is held back: the first overflow step is `block`, or it needs credit
    uint8_t silent           # … without FLOW_XOFF
    uint8_t handoff
    uint8_t xoff             # FLOW_XOFF was decided
    uint8_t shedding         # blocking has lasted too long
    uint8_t watched          # it has watermarks
    uint8_t above            # the high mark was reached, the low one not yet
    uint8_t open             # gathering is over: until it is empty, the edge moves
    uint8_t sampled          # percent towards the next item that passes
    uint8_t telemetry        # what is told of it under pressure: TELLS_*
    uint8_t skipped          # the last time was left out


cdef struct Invocation:
    int64_t id               # 0: none
    int64_t turn             # serial of the turn it began in; 0 for a session-scoped node
    int64_t candidate        # which of the node's providers performs it
    int64_t fed_bytes
    int64_t fed_words
    int64_t voiced           # bytes of its text that are audio already
    int64_t base_bytes       # of the turn's spoken text, where its own begins
    int64_t base_words
    int64_t began_ns
    uint16_t fed             # at least one item
    uint16_t answered        # at least one of its outputs was taken
    uint8_t metered          # some of what it uses was counted
    uint8_t exhausted        # the unit of a cap that it reached, until it is cut short
    uint8_t over_input       # it takes nothing more
    uint8_t over_output      # it gives nothing more


cdef struct Circuit:
    # A circuit breaker of one provider of a node.
    int64_t until_ns         # open: the provider is left alone until then
    int64_t probe            # the invocation that finds out whether it works again; 0 for none
    int64_t* errors_ns       # a ring: when it failed
    uint32_t first
    uint32_t count
    int32_t state
    uint32_t unused          # makes the size a multiple of 8


cdef struct Attempts:
    # What a node needs to try again (`attempts.pyx`).
    uint64_t* retained       # the input until the first output: port above, handle below
    Circuit* circuits        # one for each provider; NULL without circuit breakers
    int32_t* ranges          # by policy and mode, the first of its providers and their number; NULL: all
    int64_t kept             # the invocation whose input is retained
    int64_t due_ns           # end of the budget; OFF for none
    int64_t base_bytes       # of the first attempt
    int64_t base_words
    int64_t first_chunk_ns   # of one attempt
    int64_t backoff_ns
    uint64_t allowed         # the candidates that the frozen plan has
    int64_t within_ns        # of a circuit breaker
    int64_t open_ns
    uint32_t errors_max
    uint32_t retain_max
    uint32_t first           # retained: those from here on, up to `end`; up to `given` the present attempt has them
    uint32_t given
    uint32_t end
    int32_t candidates
    int32_t times
    int32_t candidate        # of the present attempt, or of the next
    int32_t tries            # attempts at this candidate
    int32_t made             # attempts in all
    uint8_t again            # another attempt is due, and has not begun
    uint8_t backing_off
    uint8_t context          # an invocation gets the conversation
    uint8_t window           # items fed and not yet taken
    int32_t high             # the candidates of the present call end before this one


cdef struct Node:
    Invocation live          # takes input
    Invocation ending        # takes no more, has not ended yet
    int64_t cancelling       # was told to stop
    int64_t inflight         # items fed and not yet taken
    int64_t failures
    int64_t first_output_ns
    int64_t chunk_ns
    int64_t speakable_ns     # until the first text with a word; 0 for none
    int64_t speak_due_ns     # when that is; 0 when it was said
    Attempts* attempts       # NULL: one provider, tried once
    Meter* meter             # NULL: nothing is capped
    uint64_t edges_in
    uint64_t edges_out
    int32_t id
    int32_t event_error
    int32_t event_timeout
    int32_t event_done
    int32_t event_exhausted  # its budget is used up
    uint8_t effect
    uint8_t turn_scoped
    uint8_t voice
    uint8_t recogniser
    uint8_t each_item        # it owes an end of every single item, and not a first output
    uint8_t unused[7]        # makes the size a multiple of 8


cdef struct Output:
    # One output in its lane: 64 bytes.
    int64_t t_ns
    int64_t seq
    int64_t turn
    int64_t invocation
    int64_t x
    int64_t y
    uint32_t item            # payload of a data or telemetry output
    int16_t node
    int16_t port
    int16_t code
    uint8_t op
    uint8_t cause
    uint32_t ref             # TURN_OPEN: which of the plan hashes; CONTEXT: which message


cdef struct Lane:
    Output* slots
    uint32_t count
    uint32_t max


cdef struct Entry:
    # One control input that waits: 64 bytes.
    int32_t kind
    int32_t node
    int32_t port
    int32_t event
    int64_t invocation
    int64_t a
    int64_t b
    int64_t seq
    int64_t epoch            # when it was accepted
    int64_t unused           # makes the entry 64 bytes


cdef struct Inbox:
    Entry* entries
    uint32_t head
    uint32_t tail
    uint32_t mask
    uint32_t max


cdef struct Message:
    uint32_t start           # in the bytes of the context, which are a ring
    uint32_t size
    int64_t role             # 0 user, 1 assistant, 2 tool


cdef struct Context:
    Message* messages
    char* text
    uint32_t head            # of the messages
    uint32_t tail
    uint32_t slots
    uint32_t items_max
    uint32_t text_end        # where the next message begins
    uint32_t text_size
    int64_t bytes
    int64_t bytes_max


cdef struct Text:
    # A text that grows: the join buffer of an utterance, the spoken text of a turn.
    char* text
    int64_t bytes
    int64_t bytes_max
    int64_t words


cdef struct Proposal:
    int64_t input_end_ns
    int64_t epoch
    int32_t origin
    int16_t trigger          # say node, or -1
    uint16_t is_apology      # it says that the last turn failed


cdef struct Turn:
    Proposal proposal
    int64_t serial
    int64_t first_seq        # of the input that it answers
    int64_t last_seq         # the end of the last utterance or text
    int64_t end_cause
    int64_t context_count
    uint64_t spoke           # mask of the nodes that spoke: voices and say nodes
    int32_t state
    uint32_t hash            # of `Core.hashes`, how many are used
    uint8_t ends             # mask of END_*
    uint8_t waiting          # for the text of the utterance
    uint8_t output_seen
    uint8_t audio_sent
    uint8_t playing
    uint8_t started          # PLAYBACK_STARTED was decided
    uint8_t evidence         # 1: asked for
    uint8_t deferred
    uint8_t cancel_cause     # the first reason to cancel it
    uint8_t unused[7]        # makes the size a multiple of 8


cdef struct Hearing:
    uint64_t endpointers     # nodes by whose time an utterance ends
    int64_t first_seq        # of the speech that is being heard
    int64_t finish_seq
    int64_t finish_pending


cdef struct Core

ctypedef bint (*React)(Core* core, int event) noexcept nogil
ctypedef void (*Choose)(Core* core) noexcept nogil
ctypedef void (*Notice)(Core* core, Output* decision) noexcept nogil
ctypedef void (*Say)(Core* core, int node) noexcept nogil
ctypedef void (*Utter)(Core* core, char* text, int64_t size, int64_t words) noexcept nogil


cdef struct Core:
    # What every pipeline has. A generated `Memory` begins with it and holds what it points to.
    int64_t now_ns
    int64_t seq              # last runtime sequence
    int64_t epoch
    int64_t invocations      # the last one's id
    int64_t refused_outputs
    int64_t flushed_items
    int64_t discontinuities
    int32_t state
    int32_t snapshot
    int32_t mode
    int32_t entered          # the mode of the turns to come
    int32_t policy           # of the turn: 0 for none, else its place from 1
    int32_t modes_count
    uint8_t revoked
    uint8_t ending
    uint8_t handed_over      # another process goes on: 1, or 2 if it does not know what was said
    uint8_t fault            # a bound that the compiler promised did not hold
    uint8_t leaving          # the next drain tells the conversation, for whoever goes on
    uint64_t bindings_off
    uint64_t nodes_off
    uint64_t edges_off
    uint64_t entered_nodes_off
    uint64_t entered_edges_off
    uint64_t waiting_edges   # edges that hold items
    uint64_t blocked         # nodes that were told FULL
    int64_t input_seq        # of the input that is being acted on
    int64_t input_epoch
    uint64_t raised_events   # raised by decisions, their reactions are to run: which of `raised`
    uint64_t chain           # of them, those whose reactions ran since the last input or timer
    Happened happened        # of the event whose reactions run

    Turn turn
    Proposal deferred
    Hearing hearing
    Ledger ledger
    Context context
    Text join
    Text spoken
    Lane control
    Lane data
    Lane telemetry
    Inbox inbox
    Output spill             # where a control output goes that has no slot (`fault`)

    int64_t* timers
    int64_t next_timer_ns    # the earliest deadline, or earlier
    Header* headers
    Pool* pools
    unsigned char* payloads
    Node* nodes
    Edge* edges
    Spending* spending       # NULL: nothing is capped
    Paths* paths             # NULL: no path has a budget of its own
    Calling* calling         # NULL: no tool is called; else one for each node
    Key* keys                # a ring of those that were taken last
    uint32_t keys_next
    uint32_t keys_count
    unsigned char* hashes    # of the plans that were frozen since the last drain

    int64_t turn_ns, turn_warning_ns, turn_total_ns, grace_ns, lead_ns, evidence_ns
    int64_t audio_bytes_per_second
    uint64_t effects         # masks of nodes
    uint64_t retries         # those with `Attempts`
    uint64_t turn_nodes
    uint64_t speech_nodes
    uint64_t turn_edges
    int32_t nodes_count, edges_count, timers_count, ingress, egress, recogniser
    int32_t speech_start     # event ids
    int32_t turn_owner
    int32_t barge_in
    int32_t connected
    int32_t button_down
    int32_t button_up
    int32_t dtmf
    int32_t exempt           # something is said in this turn that a barge-in must not cut off
    int32_t exhausted
    uint32_t control_step_max
    uint32_t keys_max
    uint32_t invoke_slots    # data outputs that an invocation's first item may need
    uint32_t hashes_max

    uint64_t watched         # signals whose decisions raise events
    Happened* raised
    Speech* speech           # NULL if no guard asks
    Apologies* apologies     # NULL: nobody asks for turns that fail
    int64_t* attributes      # of the session, where a condition asks
    Choose choose            # what the generated package does; NULL if the plan leaves nothing to choose
    Notice notice
    React react
    Say say
    Utter utter
    void* owner              # the Session, for nodes in Python
    Pause* pause             # NULL: no reaction pauses
    Stopping* stopping       # NULL: every cancel is hard

    unsigned char plan_prefix[96]    # of what is hashed to the plan hash
    void* plan_choices       # a tuple: names of policies, and of the providers of nodes that have a choice; or NULL
    void* plan_middles       # a tuple: for each mode ,"mode":"…","turn_id":"SESSION/
    int64_t plan_prefix_bytes
