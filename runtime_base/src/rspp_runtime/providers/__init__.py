"""Speech and language engines: the contract, the registry that finds them, and the local ones.

`contract` says what a provider is, `registry` finds one by name, `testing` runs one without a pipeline. The local
engines are `silero` and `webrtcvad` (both with `listening`), `pocketsphinx_stt` (stt), `scripted` (llm) and `espeak`
(tts). Importing this package loads none of them.
"""
