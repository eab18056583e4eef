"""Which binary interface this runtime speaks."""

ABI_HASH = "737643020b3a99d19269f7cc650a571259caef3c4500bf4bef75829c77616921"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
