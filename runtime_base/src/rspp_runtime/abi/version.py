"""Which binary interface this runtime speaks."""

ABI_HASH = "b9d0b684a3070fb5765177432fb5bce325c75b87f164d93350fcb8dbf3ee9e0f"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
