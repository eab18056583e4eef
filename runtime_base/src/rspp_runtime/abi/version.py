"""Which binary interface this runtime speaks."""

ABI_HASH = "e84bc15a12d08667f7bc5d1242f7d8f63dc39522a40917517cdfcca34854aac5"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
