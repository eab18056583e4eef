"""Which binary interface this runtime speaks."""

ABI_HASH = "31521df5a5859648c5307737405ea92b8477b78e2e68b7eefc32068091016ac1"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
