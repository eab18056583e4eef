"""Which binary interface this runtime speaks."""

ABI_HASH = "7414de675174ade5bc43ea39ac3915b64f2f414c750f49ef997c77e63fc0366f"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
