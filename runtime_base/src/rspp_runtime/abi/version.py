"""Which binary interface this runtime speaks."""

ABI_HASH = "9d644598fa875b17d29821c5a15c32eb1558f662ed7b8bb100a791b10fd6234c"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
