"""Which binary interface this runtime speaks."""

ABI_HASH = "e78a54133aa8491a8f5472143be643159235513d49b3439587934d51aafe844e"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
