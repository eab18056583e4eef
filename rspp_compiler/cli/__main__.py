"""`python -m rspp_compiler.cli` is `rsppc`."""

from rspp_compiler.cli import main

main()
