"""Which binary interface this runtime speaks."""

ABI_HASH = "776ae36a0e06152a107c1db55484c514a93c807d7393b0e359fe4e753dc5ad8c"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
