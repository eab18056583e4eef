from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
TIDY_S: float

class Guarded(Generic[T]):
    last: bool
    resumed: bool
    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None: ...
    def __await__(self) -> Generator[Any, Any, T]: ...
