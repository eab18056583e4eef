"""Which binary interface this runtime speaks."""

ABI_HASH = "0000000000000000000000000000000000000000000000000000000000000000"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
