"""The command `rspp`.

`app`       the commands and their options
`run`       rspp run
`replay`    rspp replay
`timeline`  rspp timeline
`contracts` rspp contracts validate
`package`   `python -m PACKAGE`, for generated packages
`failure`   exit codes, and how a failure is told
"""

from __future__ import annotations


def main() -> None:
    """Entry point of `rspp`."""
    from rspp_runtime.cli.app import run_app

    run_app()
