"""Which binary interface this runtime speaks."""

ABI_HASH = "0aac868a9ae1bcaf738ba45623d3088a80700929358a7183dd667a24d3e7a424"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
