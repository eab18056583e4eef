"""The open protocol RTVI over a WebSocket, as its public clients speak it (docs/rtvi.md).

`frames`    the binary framing: protobuf
"""

from __future__ import annotations
