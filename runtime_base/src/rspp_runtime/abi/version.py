"""Which binary interface this runtime speaks."""

ABI_HASH = "e5207f88c17b20e3a8a9eacb4f14ba02a761cc44aef7a668d20288b2500e3ff2"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
