"""Which binary interface this runtime speaks."""

ABI_HASH = "391f87b65a7abb0335025bd6222e1e13d8ca04cfb4c95978879d7d982c758caa"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
