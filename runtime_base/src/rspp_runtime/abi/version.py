"""Which binary interface this runtime speaks."""

ABI_HASH = "22ca5ea614be50cdcb8d4a4bb44ea2c6198702b7d344b3129f5d7d4c400cc975"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
