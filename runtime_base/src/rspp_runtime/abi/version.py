"""Which binary interface this runtime speaks."""

ABI_HASH = "f806d4c8d34b100fc7e23ef07f7f87c738944c41a6047201a1629c413204011a"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
