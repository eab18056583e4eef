"""Which binary interface this runtime speaks."""

ABI_HASH = "50abd30282f5ca5edc9b61ea9c4b7f2afc4952838331b99ba63a88887278096f"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
