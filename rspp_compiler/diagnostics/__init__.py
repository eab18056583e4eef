"""What the compiler has to say.

`diagnostic`  one finding, as data
`catalog`     every code, with its title and severity; a page for each lies in `codes/`
`fixes`       applies the fixes of findings to texts, and builds fixes
`sink`        where the passes leave their findings
`patch`       what a fix changes, line by line
`screen`      what a terminal shows for a character, and how wide
`render`      findings as text, with the source line and carets
`machine`     findings as JSON; `sarif` and `github`, as other programs want them
"""

from rspp_compiler.diagnostics.diagnostic import Diagnostic, Edit, Fix, Severity
from rspp_compiler.diagnostics.sink import Sink

__all__ = ["Diagnostic", "Edit", "Fix", "Severity", "Sink"]
