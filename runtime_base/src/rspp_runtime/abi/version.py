"""Which binary interface this runtime speaks."""

ABI_HASH = "53e7f9bd6ca7c716d18b20d9f04bb234639e98aed40602d2d8461d78de104205"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
