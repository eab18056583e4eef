"""Which binary interface this runtime speaks."""

ABI_HASH = "1c1e7de5cd86a91b9f1f3c0581d480ddbe528999f5b28f0eca0ccde1784069aa"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
