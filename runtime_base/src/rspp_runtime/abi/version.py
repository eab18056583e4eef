"""Which binary interface this runtime speaks."""

ABI_HASH = "b201f15153dd0098a0fb1526af12808a48f8f8748143bacaa570c6db211344b6"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
