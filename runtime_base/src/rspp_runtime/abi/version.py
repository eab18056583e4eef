"""Which binary interface this runtime speaks."""

ABI_HASH = "4619491ef32a97546014ab292682b964661a3c2e15d1ccd7af0d5a07944f0fe3"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
