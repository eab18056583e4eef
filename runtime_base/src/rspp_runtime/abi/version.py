"""Which binary interface this runtime speaks."""

ABI_HASH = "4be8b6e7c44d69dda895c9da99452cac858aacfd2e59257ec79f17dcd587cc57"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
