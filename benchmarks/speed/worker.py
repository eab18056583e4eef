"""A competitor's process: one JSON command a line comes in, one JSON result a line goes out.

    python -m speed.worker PEER

Says first whether it is ready, and which version it is; `{"ready": false, "why": …}` if its package is not there. It
lives as long as its standard input, so that imports and warm caches are paid once and not in every measurement.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    """Answers commands until there are no more."""
    peer = sys.argv[1]
    # What a competitor prints must not get between the answers.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")

    try:
        module = importlib.import_module(f"speed.peers.{peer}")
    except Exception as error:  # a package that is missing, or does not load on this machine
        traceback.print_exc()
        say({"ready": False, "why": f"{type(error).__name__}: {error}"})
        return
    say({"ready": True, "version": module.version()})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            result = module.CASES[command["case"]](command)
        except Exception as error:  # told in the report, beside the others' figures
            traceback.print_exc()
            result = {"error": str(error) or type(error).__name__}
        say(result)
    out.flush()
    os._exit(0)  # a saturated loop of a competitor never tears down


if __name__ == "__main__":
    main()
