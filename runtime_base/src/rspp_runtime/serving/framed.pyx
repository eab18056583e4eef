"""Whole binary messages, from and to picows without a Python call between: a frame of audio is one (decision 0062).

It goes by picows' own declarations, and so only with the picows that it was built with; `listener` has the same in
Python for any other.
"""

from picows.picows cimport WSFrame, WSListener, WSMsgType, WSTransport

import picows

cdef extern from *:
    """
    #ifndef RSPP_PICOWS
    #define RSPP_PICOWS "unknown"
    #endif
    """
    const char* RSPP_PICOWS

if picows.__version__ != RSPP_PICOWS.decode():
    raise ImportError(f"built with picows {RSPP_PICOWS.decode()}, and this is {picows.__version__}")


cdef class Framed(WSListener):
    """`receive` is given each binary message that came in one frame; all else goes to `_other(transport, frame)`.

    `transport` is the connection's, while there is one.
    """

    cdef public object receive
    cdef public WSTransport transport

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        if frame.msg_type == WSMsgType.BINARY and frame.fin:
            self.receive(frame.get_payload_as_bytes())
        else:
            self._other(transport, frame)

    def send_bytes(self, bytes message not None):
        """A binary message, unless the connection is gone or closing."""
        if self.transport is not None:
            self.transport.send(WSMsgType.BINARY, message)
