"""Where audio and text come from and go to.

`contract`    what a transport is
`audio_file`  reading anyone's audio file as 16 kHz mono frames
`recording`   what was played, written to a WAV on the media clock
`wav`         a conversation with a file as the user's microphone
`microphone`  a conversation with this machine's microphone and loudspeaker
`sound_device`  … by PortAudio
`text`        a conversation typed
`console`     prints a conversation as it happens
"""

from __future__ import annotations
