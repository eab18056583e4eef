"""The open protocol RTVI over a WebSocket, as its public clients speak it (docs/rtvi.md).

`frames`     the binary framing: protobuf
`framing`    either framing, protobuf or JSON: a message's bytes, and back
`requests`   what a client says, message by message
`captions`   what is said aloud, piece by piece, and how much of it was heard
`dialect`    the words of `serving.dialect`, written so
`door`       `POST /rtvi/connect` and the WebSocket `/rtvi`
"""

from __future__ import annotations
