"""Which binary interface this runtime speaks."""

ABI_HASH = "aabcd52905528bd42e05d6a97346ed19f6af1e66ff9fe1489bdaf1614095721f"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
