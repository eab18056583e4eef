"""Which binary interface this runtime speaks."""

ABI_HASH = "2d8ac99123c09ac448838c73d627aa681943f9aed6e2392119eafdd0749e6c7d"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
