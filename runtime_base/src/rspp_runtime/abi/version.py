"""Which binary interface this runtime speaks."""

ABI_HASH = "d5730af5d195659ea5fd3903e0a054ae7f285de187bdd189dff2d05934232dbd"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
