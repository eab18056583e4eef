"""Which binary interface this runtime speaks."""

ABI_HASH = "8d298e97a3516046b1d191559cff7536380c5ac5b9980f38594b995b10e39ff1"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
