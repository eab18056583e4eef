"""Which binary interface this runtime speaks."""

ABI_HASH = "2d1f5525b265452fc11d969d49a4ddc93dbae9eb13cb0a1572f53777aede96ad"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
