"""Which binary interface this runtime speaks."""

ABI_HASH = "7113066308f8c2fc58b015d66e03c0f4f385ea992d1836c4dbd7c3cc68f9237c"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
