"""`python -m rspp_runtime.cli`."""

from rspp_runtime.cli import main

main()
