"""Which binary interface this runtime speaks."""

ABI_HASH = "97d9d4b2b69f43511708895cd6df73f282ab8986eb4d1d88367b8ff32462f3fb"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
