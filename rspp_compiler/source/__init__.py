"""Source text: where every character of a program came from.

`span`   a half-open range of a file, exact to the byte
`text`   a file's text with its line index
`files`  whether a file is there
"""

from rspp_compiler.source.span import Span
from rspp_compiler.source.text import Source

__all__ = ["Source", "Span"]
