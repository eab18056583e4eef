"""Which binary interface this runtime speaks."""

ABI_HASH = "8a6542d26d21f21ca9dce9033491a5844294097173d89c8c4d18c08ff4ee0c0e"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
