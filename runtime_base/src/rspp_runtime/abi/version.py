"""Which binary interface this runtime speaks."""

ABI_HASH = "19aab1d7e80cd663ec4db507c1e39e8f1aef8844a7325023515c9c5702af4793"
"""SHA-256 of the kernel's declarations (`kernel/*.pxd`): `python -m rspp_runtime.abi.fingerprint --write` sets it."""
