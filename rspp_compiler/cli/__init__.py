"""The command `rsppc`.

`again`    a build that has nothing to do
`app`      the commands
`options`  the options that several of them share
`forms`    `rsppc fmt` and `rsppc schema`, of them
`report`   what they print
`leave`    how they end
`summary`  what `rsppc check` says of a pipeline without a mistake
`fmt`      `rsppc fmt`: files in their canonical form
`fix`      `--fix`: the fixes of a run, made in the files
`lsp`      `rsppc lsp`: the language server
`layers`   `--environment`, `--set`: values from outside of a pipeline's file
`diff`     `rsppc diff`: what a change means for those who use a pipeline
`resolve`  `rsppc resolve`: every value, and where it came from
`doc`      `rsppc doc`: the reference of the language
`new`      `rsppc new`: a project to start from
`watch`    `rsppc build --watch`
`run`      `rsppc run`: build, then hand over to `rspp run`

Exit codes: 0 clean, 1 findings, 2 wrong usage, 70 a fault of the compiler itself.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn

EXIT_FINDINGS, EXIT_USAGE, EXIT_INTERNAL = 1, 2, 70


def main() -> None:
    """Entry point. Whatever goes wrong inside, a user never meets a traceback, unless they ask: `RSPP_TRACE=1`."""
    try:
        from rspp_compiler.cli.again import built_again

        if built_again(sys.argv[1:]):
            return
        from rspp_compiler.cli.app import app

        app()
    except BrokenPipeError:
        # Whoever read our output has left, as `rsppc … | head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FINDINGS)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            _apologise(error)
        print(f"rsppc: cannot write {error.filename or 'the output'}: {str(error.strerror).lower()}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of it would fail again
        sys.exit(EXIT_USAGE)
    except RecursionError:
        print("rsppc: this file is nested too deeply to be read", file=sys.stderr)
        sys.exit(EXIT_FINDINGS)
    except Exception as error:
        _apologise(error)


def _apologise(error: Exception) -> NoReturn:
    if os.environ.get("RSPP_TRACE") == "1":
        raise error
    print(f"rsppc: internal error {type(error).__name__}: {error}", file=sys.stderr)
    print(
        "This is a fault of the compiler, not of your file; we are sorry. Please report it together with",
        file=sys.stderr,
    )
    print("the file and the output of the same command with RSPP_TRACE=1.", file=sys.stderr)
    sys.exit(EXIT_INTERNAL)
