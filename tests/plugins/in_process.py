"""`rsppc` as its users run it, in the process of the tests: a start costs more than most of what is tested."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from rspp_compiler.cli import main


def rsppc(*arguments: str, cwd: Path, **environment: str) -> CompletedProcess[str]:
    """What `rsppc ARGUMENTS…` prints in `cwd`, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["rsppc", *arguments]),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code
    return CompletedProcess(arguments, code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
