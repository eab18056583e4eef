"""Which binary interface this runtime speaks."""

ABI_HASH = "b1e94ef16ed3871bcfaa4de5bfe66030640a00ecdc1f6971337fea139992a225"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
