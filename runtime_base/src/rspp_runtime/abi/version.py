"""Which binary interface this runtime speaks."""

ABI_HASH = "ad26d63527535c29d6b9b9846af004630fe2de3a2e91bff45d83581bf946f62d"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
