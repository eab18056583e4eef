"""The audio edge: what networks bring becomes the session's frames, and the other way round.

A session knows one kind of audio: frames of 20 ms, PCM s16le, mono, 16 kHz. Clients send and want anything.

`format`     what a client declares, and the errors of this room
`profile`    how patient the edge is: `STREAM` for ordered transports, `LOSSY` for datagrams
`uplink`     from a client's packets to frames; without I/O, told the time
`downlink`   from the session's audio to a client's packets
`ordered`, `jitter`          the two profiles: in order or not at all; a buffer that waits for what is late
`place`, `drift`, `rate`     where a packet belongs on our clock; how fast the client's clock runs; whether it lies
`framer`, `conceal`          cutting into frames; what is heard where nothing came
`codec`, `resample`          PCM and µ-law, there and back
`opus`, `swresample`         Opus, there and back (extra `opus`)
`stats`      what is counted

Nothing here knows a protocol or a socket. Importing this package loads none of the libraries (extras `serve`, `opus`).
"""
