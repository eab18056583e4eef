"""Which binary interface this runtime speaks."""

ABI_HASH = "0584234d2656ea92a9f6c70536b295561c25d92078d36f26e16e75f526ea6e77"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
