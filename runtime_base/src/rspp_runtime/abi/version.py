"""Which binary interface this runtime speaks."""

ABI_HASH = "f5bf91bc714e1a5346a65f7678fec9b51c1441ff96da6aae331663b35bb7c6b1"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
