"""The structs of a session that count what is used, and that know again what was taken (`state.pxd` points to them)."""

from libc.stdint cimport int32_t, int64_t, uint64_t


cdef enum:
    PRICES = 5               # of a provider: call, minute, kchar, ktoken_in, ktoken_out


cdef struct Meter:
    # What a block of providers uses (`spending.pyx`); by `Unit`. Costs are thousandths of a micro-dollar.
    int64_t limits[9]        # 0 for none
    int64_t used[9]
    int64_t* prices          # `PRICES` of each provider; NULL where none counts
    int32_t spent            # a cap was reached in this turn
    int32_t priced           # providers whose prices are known


cdef struct Spending:
    Meter* meters
    int64_t meters_count
    int64_t budget           # of a turn; 0 for none
    int64_t used             # of the turn
    uint64_t exhausted       # nodes with an invocation that has reached a cap


cdef struct Key:
    # An idempotency key of input, and the runtime sequence of the item that had it; 0 before this holder.
    int64_t key
    int64_t seq
