"""Which binary interface this runtime speaks."""

ABI_HASH = "bfa1dc64724ecf5b6250a96709493703d1875d6c4594e5aa9e6dc63689ce1b4f"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
