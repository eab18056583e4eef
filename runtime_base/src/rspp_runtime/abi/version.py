"""Which binary interface this runtime speaks."""

ABI_HASH = "bd816fbe1566abcc835a2181fcc7507cef5558e9611109ff94d3104cadd595e4"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
