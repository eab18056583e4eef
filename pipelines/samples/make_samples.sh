#!/bin/sh
# Makes the sample recordings next to this script. They are committed: this is only needed to change them.
# The voice is flite's `slt`, another one than the agent's. Needs: apt-get install flite sox
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() {     # say NAME TEXT: one utterance, 16 kHz mono, without flite's own silence around it
    flite -voice slt -t "$2" -o "$work/raw.wav"
    sox "$work/raw.wav" -r 16000 -c 1 -b 16 "$work/cut.wav" silence 1 0.01 0.3% reverse silence 1 0.01 0.3% reverse
    sox "$work/cut.wav" "$work/$1.wav" gain -n -6
}
pad() {     # pad NAME BEFORE AFTER: seconds of silence around it
    sox -D "$work/$1.wav" "$work/padded.wav" pad "$2" "$3"
    mv "$work/padded.wav" "$work/$1.wav"
}

say question "What is the weather like in London?"
pad question 0.3 0.8
say unknown "How many planets are in the solar system?"
pad unknown 0.3 0.8
say first "Please tell me about the oldest clock."
pad first 0.3 3.0                               # three seconds later the answer is being spoken ...
say second "Stop please, what time do you open?"
pad second 0 0.8                                # ... and is talked over

mv "$work/question.wav" "$work/unknown.wav" .
sox -D "$work/first.wav" "$work/second.wav" interruption.wav
