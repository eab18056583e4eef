"""Which binary interface this runtime speaks."""

ABI_HASH = "0a6fbcd112877344d32d51167842d0b8ef1d9143e5fd0c6f60b42657e80e2f74"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
