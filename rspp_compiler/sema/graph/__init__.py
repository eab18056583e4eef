"""Spec → graph: the parts of `build_graph`.

`formats`   the format of every audio edge, and where a converter stands
`variants`  the pipeline as a policy leaves it
"""
