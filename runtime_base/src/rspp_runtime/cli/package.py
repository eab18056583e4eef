"""`python -m PACKAGE`: a generated package's own command.

serve …    as `rspp serve PACKAGE …`: what a container does
run …      as `rspp run PACKAGE …`
plan       prints the resolved plan that a turn freezes (CONTRACTS §6), as JSON
"""

from __future__ import annotations

import json
import sys

from rspp_runtime.cli.failure import EXIT_FINDINGS, EXIT_USAGE, Failure, told

COMMANDS = ("serve", "run", "plan")


def package_main(package_name: str) -> None:
    """Called by the `__main__` of a generated package; exits with the command's code."""
    name = f"python -m {package_name}"
    arguments = sys.argv[1:]
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(
            f"usage: {name} serve --signing-key FILE | --trust FILE | --dev [options]\n"
            f"       {name} run --wav FILE | --text TEXT [options]\n       {name} plan"
        )
        sys.exit(0)
    if command in ("serve", "run"):
        from rspp_runtime.cli.app import run_app

        run_app([command, package_name, *arguments[1:]], name=name)
    if command == "plan":
        sys.exit(_plan(name, package_name))
    sys.exit(told(name, Failure(EXIT_USAGE, f"no command {command!r}; there are {', '.join(COMMANDS)}")))


def _plan(name: str, package_name: str) -> int:
    from rspp_runtime.session.package import PackageError, load

    try:
        package = load(package_name)
    except PackageError as error:
        return told(name, Failure(EXIT_FINDINGS, str(error)))
    print(json.dumps({"template_hash": package.template_hash, **package.resolved}, indent=2, ensure_ascii=False))
    return 0
