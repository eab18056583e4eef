"""Which binary interface this runtime speaks."""

ABI_HASH = "73eedc6a5e16f361fbe116609dc281ac9c733a8f275d2cd0801120cce2686f79"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
