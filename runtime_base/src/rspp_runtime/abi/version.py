"""Which binary interface this runtime speaks."""

ABI_HASH = "fb986199af637fe62c58b0f990b10f5528401f56362e9f711b4cc757d12f29e8"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
