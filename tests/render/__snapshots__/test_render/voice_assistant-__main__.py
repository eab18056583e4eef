"""`python -m voice_assistant serve|run|plan`: the commands of `rspp`, for this pipeline."""

from __future__ import annotations

from rspp_runtime.cli.package import package_main

if __name__ == "__main__":
    package_main("voice_assistant")
