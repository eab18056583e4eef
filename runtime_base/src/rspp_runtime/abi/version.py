"""Which binary interface this runtime speaks."""

ABI_HASH = "ee58f4f3d7182851f44c85cb9c5ab19feac25334ea49a6c924cf1dbe8c28fd35"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
