"""Which binary interface this runtime speaks."""

ABI_HASH = "f63619ccb62819ee0afa45a3139b40afb0aa986c4ffb2fb84b4644089598759a"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
