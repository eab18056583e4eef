"""What a model may call: the words that tools are written with, and models that call them (docs/tools.md).

    async def find(number: str) -> dict[str, str]:
        return {"number": number, "state": "on its way"}

A tool is a plain or async function. `Offer` and `Answer` are what a model's provider sees; `NotDone` is raised by a
function that knows that it did nothing.
"""

from rspp_runtime.tools.offer import Answer, NotDone, Offer

__all__ = ["Answer", "NotDone", "Offer"]
