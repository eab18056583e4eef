"""What the compiler has to say.

`diagnostic`  one finding, as data
`catalog`     every code, with its title and severity; a page for each lies in `codes/`
`sink`        where the passes leave their findings
`render`      findings as text, with the source line and carets; or as JSON
"""

from rspp_compiler.diagnostics.diagnostic import Diagnostic, Fix, Severity
from rspp_compiler.diagnostics.sink import Sink

__all__ = ["Diagnostic", "Fix", "Severity", "Sink"]
