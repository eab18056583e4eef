"""Which binary interface this runtime speaks."""

ABI_HASH = "3ab9d428d14b1431038d8dccc693b4fb9f06736f8a32f7ce18ce2ca841efdb98"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
