"""From played milliseconds to media time, against a model that remembers every nanosecond's frame."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rspp_runtime.serving.playout import BEYOND_NS, BREAKS_MAX, Playout

MS = 1_000_000
FRAME = 20 * MS


class Naive:
    """Every frame of the newest turn, in order: (where it begins in what is played, media time)."""

    def __init__(self) -> None:
        self.turn = 0
        self.frames: list[tuple[int, int, int]] = []

    def sent(self, turn: int, at_ns: int, duration_ns: int) -> None:
        if turn != self.turn:
            self.turn, self.frames = turn, []
        begin = self.frames[-1][0] + self.frames[-1][2] if self.frames else 0
        self.frames.append((begin, at_ns, duration_ns))

    def media_ns(self, played_ns: int) -> int:
        for begin, at_ns, duration_ns in self.frames:
            if played_ns <= begin + duration_ns:
                return at_ns + played_ns - begin
        begin, at_ns, _ = self.frames[-1]
        return at_ns + played_ns - begin


def frames() -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """Frames of turns that follow each other, with pauses here and there: (turn, pause before, duration)."""
    return st.lists(
        st.tuples(st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 0, 7 * MS, 300 * MS]), st.just(FRAME)),
        min_size=1,
        max_size=60,
    )


@given(frames(), st.lists(st.integers(0, 2_000 * MS), max_size=10))
def test_it_is_what_remembering_every_frame_gives(steps: list[tuple[int, int, int]], asked: list[int]) -> None:
    playout, naive, turn, at_ns, sent_ns = Playout(), Naive(), 1, 1_000 * MS, 0
    for new_turn, pause_ns, duration_ns in steps:
        turn += new_turn
        sent_ns = 0 if new_turn else sent_ns
        at_ns += pause_ns
        playout.sent(turn, at_ns, duration_ns)
        naive.sent(turn, at_ns, duration_ns)
        at_ns += duration_ns
        sent_ns += duration_ns
    assert playout.turn == naive.turn
    for played_ns in (0, sent_ns, *(min(one, sent_ns + BEYOND_NS) for one in asked)):
        assert playout.media_ns(played_ns) == naive.media_ns(played_ns), played_ns


@given(st.integers(0, 1 << 80))
def test_nobody_is_believed_to_have_played_much_more_than_was_sent(played_ns: int) -> None:
    playout = Playout()
    playout.sent(1, 500 * MS, FRAME)
    assert 500 * MS <= playout.media_ns(played_ns) <= 500 * MS + FRAME + BEYOND_NS
    assert Playout().media_ns(played_ns) <= BEYOND_NS


def test_only_the_newest_breaks_are_remembered() -> None:
    playout = Playout()
    for index in range(3 * BREAKS_MAX):
        playout.sent(1, index * 50 * MS, FRAME)
    sent_ns = 3 * BREAKS_MAX * FRAME
    assert playout.media_ns(sent_ns) == (3 * BREAKS_MAX - 1) * 50 * MS + FRAME
    assert playout.media_ns(sent_ns - 10 * FRAME) == (3 * BREAKS_MAX - 11) * 50 * MS + FRAME


def test_silence_that_fills_a_packet_up_counts_as_the_end() -> None:
    """A client counts what it plays; the last packet of 40 ms may hold 10 ms of the voice."""
    playout = Playout()
    playout.padding_ns = 50_000_000
    playout.sent(1, 1_000_000_000, 90_000_000)
    assert playout.media_ns(80_000_000) == 1_080_000_000
    assert playout.media_ns(120_000_000) == playout.end_ns == 1_090_000_000
    assert playout.media_ns(150_000_000) > playout.end_ns  # that is no padding, and is refused


def test_after_a_pause_it_goes_on_from_what_the_client_had_played() -> None:
    playout = Playout()
    playout.sent(1, 1_000_000_000, 200_000_000)
    playout.flush(1_120_000_000)  # 80 ms were not played, by our clock
    playout.reported(100_000_000)  # the client was 20 ms behind
    playout.sent(1, 1_500_000_000, 100_000_000)
    assert playout.media_ns(100_000_000) == 1_100_000_000
    assert playout.media_ns(150_000_000) == 1_550_000_000
    assert playout.media_ns(200_000_000) == playout.end_ns == 1_600_000_000
