"""Which binary interface this runtime speaks."""

ABI_HASH = "d63452d1b144d8cdc3c89352881c60efdc726b0054535700771a723681e2f9f6"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
