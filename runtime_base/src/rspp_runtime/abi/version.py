"""Which binary interface this runtime speaks."""

ABI_HASH = "8b2aefe6e263ce9ccafd30cacd423568373aa745e34b8e958ef5d0aa00ee2d4f"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
