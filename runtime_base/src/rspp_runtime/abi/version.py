"""Which binary interface this runtime speaks."""

ABI_HASH = "8c5130107d219e83e84dfe46f4394d0b4a2cc8f09e558aa9a20026f0dd2ce5da"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
