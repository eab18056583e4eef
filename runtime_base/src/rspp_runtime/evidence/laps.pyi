class Laps:
    steps: int
    kernel_ns: int
    longest_ns: int
    nodes_ns: dict[int, int]
    def add(self, own_ns: int, nodes_ns: dict[int, int]) -> int: ...
