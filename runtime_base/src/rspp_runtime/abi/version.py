"""Which binary interface this runtime speaks."""

ABI_HASH = "3067a67c15068df8032e78856c469bf653f5ae3975a00dd4e6497433eb86b9db"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
