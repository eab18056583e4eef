"""Every code the compiler can report: one line each. The page `codes/CODE.md` explains it with an example.

E01 source and syntax: `.rspp`, JSON, settings of lint · E02 names · E03 values, units, settings
E04 types, the graph, the turn, modes, providers · E05 latency, rates, liveness, throughput · E06 memory and layout
E07 writing and compiling · E08 reactions and who ends the turn · E09 what the runtime cannot run yet
E10 cancel and ends · E11 determinism and data classes · E12 cost · W what `rsppc lint` finds: see `lint/rules/`
"""

from __future__ import annotations

from typing import NamedTuple

from rspp_compiler.diagnostics.diagnostic import Severity


class Code(NamedTuple):
    title: str
    severity: Severity = "error"


def page(code: str) -> str:
    """The page of a code, as Markdown. `FileNotFoundError` for a code that the catalogue does not list."""
    from importlib.resources import files

    return files("rspp_compiler.diagnostics").joinpath("codes", f"{code}.md").read_text(encoding="utf-8")


CODES: dict[str, Code] = {
    # ---- source and syntax
    "E0101": Code("file cannot be read"),
    "E0102": Code("not UTF-8"),
    "E0103": Code("control character in the text"),
    "E0104": Code("nothing in the file"),
    "E0105": Code("not a pipeline file"),
    "E0106": Code("file too large"),
    "E0110": Code("syntax error"),
    "E0111": Code("bracket never closed"),
    "E0112": Code("bracket never opened"),
    "E0113": Code("string never closed"),
    "E0114": Code("unknown escape in a string"),
    # ---- JSON
    "E0120": Code("not JSON"),
    "E0121": Code("unknown field"),
    "E0122": Code("field missing"),
    "E0123": Code("field of another type"),
    "E0124": Code("unknown schema version"),
    "E0125": Code("text of a field cannot be read"),
    "E0126": Code("fields contradict each other"),
    "E0127": Code("file of a bundle cannot be used"),
    "E0128": Code("rollout does not add up"),
    "E0129": Code("no form in the other notation"),
    # ---- settings of lint
    "E0191": Code("lint settings cannot be read"),
    "E0192": Code("unknown code in the lint settings"),
    # ---- names
    "E0201": Code("reserved word used as a name"),
    "E0202": Code("name declared twice"),
    "E0203": Code("unknown node"),
    "E0204": Code("unknown kind"),
    "E0205": Code("unknown port"),
    "E0206": Code("unknown event"),
    "E0207": Code("unknown mode"),
    "E0208": Code("unknown provider"),
    "E0209": Code("unknown profile"),
    "E0210": Code("ambiguous bare kind"),
    "E0211": Code("no pipeline in the file"),
    "E0212": Code("port has the wrong direction"),
    "E0213": Code("name is not snake_case"),
    "E0214": Code("no main port"),
    "E0215": Code("port of a module not connected"),
    "E0216": Code("module contains itself"),
    "E0217": Code("files import each other"),
    "E0218": Code("imported file not found"),
    "E0219": Code("file has nothing of that name"),
    "E0220": Code("version does not match"),
    "E0222": Code("unknown field in a condition"),
    "E0223": Code("condition compares what does not compare"),
    "E0224": Code("order of what has none"),
    "E0225": Code("several parties, and none is named"),
    "E0226": Code("unknown tool"),
    "E0228": Code("outside of the module"),
    "E0229": Code("line does not belong to a module"),
    "E0230": Code("otherwise without a sibling"),
    "E0231": Code("second pipeline"),
    "E0232": Code("node cannot be inserted"),
    # ---- values, units, settings
    "E0301": Code("unknown setting"),
    "E0302": Code("setting given twice"),
    "E0303": Code("unit missing"),
    "E0304": Code("wrong or unknown unit"),
    "E0305": Code("wrong type of value"),
    "E0306": Code("value out of range"),
    "E0307": Code("unknown choice"),
    "E0308": Code("secret written into the file"),
    "E0309": Code("malformed reference"),
    "E0310": Code("required setting missing"),
    "E0311": Code("settings contradict each other"),
    "E0312": Code("unknown variable"),
    "E0313": Code("pool of another kind"),
    "E0314": Code("setting that no mode can change"),
    "E0315": Code("layer cannot be read"),
    "E0316": Code("layer names nothing of the pipeline"),
    "E0317": Code("setting is not tunable"),
    "E0318": Code("outside of the tunable bounds"),
    # ---- types and the graph
    "E0401": Code("types do not agree"),
    "E0402": Code("item larger than the port takes"),
    "E0403": Code("cycle"),
    "E0404": Code("unreachable node"),
    "E0405": Code("output goes nowhere", "warning"),
    "E0406": Code("several flows into one port"),
    "E0407": Code("turn reaches back into hearing"),
    "E0408": Code("flow into a turn from outside of it"),
    "E0409": Code("typed text needs no flow"),
    "E0410": Code("barge-in without echo handling"),
    "E0411": Code("node cannot be off"),
    "E0412": Code("mode leaves nothing to say"),
    "E0413": Code("several recognisers"),
    "E0414": Code("nothing reaches the user"),
    "E0415": Code("text longer than its port takes"),
    "E0416": Code("name taken by Python"),
    "E0417": Code("edge written twice with different settings"),
    "E0418": Code("version is not a version number"),
    "E0419": Code("flow into a node that reactions trigger"),
    "E0420": Code("providers without a format in common"),
    "E0421": Code("provider does not know the language"),
    "E0422": Code("provider cannot do what is asked"),
    "E0424": Code("nothing to join"),
    "E0425": Code("degrade takes nothing away"),
    "E0426": Code("priority does not name the sources"),
    "E0427": Code("path does not take what the event brings"),
    "E0428": Code("fairness where nothing is shared", "warning"),
    "E0429": Code("two orders for the calls of one node"),
    # ---- latency and budgets
    "E0501": Code("path slower than the turn budget"),
    "E0502": Code("path slower than the path budget"),
    "E0503": Code("fallback too late"),
    "E0504": Code("fallback that can never be in time"),
    "E0505": Code("path slower than its own budget"),
    "E0506": Code("provider that is never tried in time"),
    "E0507": Code("tool slower than the model that waits for it"),
    "E0508": Code("budget of a path that no flow makes"),
    "E0509": Code("edge holds longer than its latency allows"),
    # ---- rates and buffers
    "E0510": Code("join fed at different rates"),
    "E0511": Code("more audio than can be played"),
    "E0512": Code("flow holds less than its end takes"),
    "E0513": Code("flow holds less than a wait lasts"),
    "E0514": Code("flow holds less than one call hands on"),
    # ---- liveness
    "E0515": Code("filter starves a join"),
    "E0516": Code("join waits for what may stay silent"),
    "E0517": Code("flow that sheds starves a join"),
    "E0518": Code("ways that join wait for each other"),
    "E0519": Code("sync domain waits for itself"),
    "E0520": Code("credit that never comes back"),
    "E0521": Code("low mark that is never reached"),
    "E0522": Code("sync domain waits for what may stay silent"),
    # ---- throughput
    "E0523": Code("node slower than its stream"),
    "E0524": Code("flow holds too little for the work beside it"),
    "E0525": Code("kernel busier than the stream allows"),
    "E0526": Code("call hands on more than it may"),
    # ---- memory and layout
    "E0601": Code("edge too small for one item"),
    "E0602": Code("pipeline too large"),
    "E0603": Code("file named by the pipeline cannot be read"),
    "E0604": Code("file named by the pipeline too large"),
    "E0605": Code("session larger than its kernel can address"),
    # ---- writing and compiling
    "E0701": Code("file edited by hand"),
    "E0702": Code("folder is not a generated package"),
    "E0703": Code("file cannot be written"),
    "E0704": Code("no C compiler"),
    "E0705": Code("runtime not installed"),
    "E0706": Code("generated code does not compile"),
    "E0707": Code("wheel cannot be installed", "warning"),
    "E0708": Code("image cannot be built"),
    # ---- reactions and the turn
    "E0801": Code("several detectors, and no owner of the turn's end"),
    "E0802": Code("unknown action"),
    "E0803": Code("action with the wrong object"),
    "E0804": Code("path of a reaction begins at no node"),
    "E0805": Code("end of the utterance has two owners"),
    "E0806": Code("nothing ends the utterance"),
    # ---- what the runtime of this version cannot run yet
    "E0901": Code("declaration cannot be run yet"),
    "E0902": Code("party cannot be run yet"),
    "E0903": Code("node cannot be run yet"),
    "E0904": Code("setting cannot be run yet"),
    "E0905": Code("reaction cannot be run yet"),
    "E0906": Code("value cannot be run yet"),
    "E0907": Code("guard cannot be run yet"),
    "E0908": Code("flow cannot be run yet"),
    "E0909": Code("provider without an adapter", "warning"),
    # ---- cancel and ends
    "E1001": Code("cancel that does not reach what is heard"),
    "E1002": Code("soft cancel without an end"),
    "E1003": Code("commit point before the last flow"),
    "E1004": Code("cancelled node that is started again"),
    "E1010": Code("fallback that leads back to itself"),
    "E1011": Code("failure without an end"),
    "E1012": Code("wait without a deadline"),
    "E1013": Code("paused, and never resumed"),
    # ---- determinism and data classes
    "E1101": Code("fan-in without an order"),
    "E1111": Code("personal data for a provider that does not accept it"),
    "E1112": Code("personal data in a tap"),
    "E1113": Code("personal data recorded without an end or a place"),
    "E1114": Code("personal data into a port that does not take it"),
    # ---- cost
    "E1201": Code("turn that may cost more than its budget"),
    "E1202": Code("price without a bound"),
    "E1203": Code("provider without a price", "warning"),
    # ---- lint: comments that allow
    "W0001": Code("allowed without a reason", "warning"),
    "W0002": Code("unknown code allowed", "warning"),
    "W0003": Code("nothing to allow", "warning"),
    # ---- lint: names and texts
    "W0101": Code("no version", "warning"),
    "W0102": Code("node called like a kind", "warning"),
    "W0103": Code("no owner", "warning"),
    "W0104": Code("long prompt in the pipeline", "warning"),
    "W0105": Code("long speech", "warning"),
    # ---- lint: declared and not used
    "W0201": Code("mode never used", "warning"),
    "W0202": Code("tool never used", "warning"),
    "W0203": Code("module never used", "warning"),
    "W0204": Code("import never used", "warning"),
    "W0205": Code("party never used", "warning"),
    "W0206": Code("pool never used", "warning"),
    "W0207": Code("provider never used", "warning"),
    # ---- lint: the conversation
    "W0301": Code("cannot be interrupted", "warning"),
    "W0302": Code("voice without a language", "warning"),
    "W0303": Code("long speech that nobody can stop", "warning"),
    "W0304": Code("silence of the user without a reaction", "warning"),
    "W0305": Code("silence while a tool works", "warning"),
    "W0306": Code("silence too short or too long", "warning"),
    # ---- lint: failures
    "W0401": Code("model without a fallback", "warning"),
    "W0402": Code("transfer without a fallback", "warning"),
    "W0403": Code("provider with a single candidate", "warning"),
    # ---- lint: time
    "W0501": Code("loose turn budget", "warning"),
    "W0502": Code("text held back for long", "warning"),
    # ---- lint: data
    "W0601": Code("recording without an end", "warning"),
    "W0602": Code("recording without a region", "warning"),
}

# What `rsppc lint` may leave out, and a comment allow: every code that only warns.
WARNINGS = tuple(code for code, known in CODES.items() if known.severity == "warning")
