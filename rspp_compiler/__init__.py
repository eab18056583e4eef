"""The RSPP compiler: from a pipeline file to a Python package with a compiled hot path.

The journey of a file, in the order control flows (`driver.PASSES` is the same list, in code):

    source        texts and the places in them
    diagnostics   what there is to say about it, with its place
    ir            what the passes hand to each other
    syntax        paths → texts → trees → AST                        load parse lower link
    sema          names bound, the profile applied, values checked   resolve layers apply_profile validate
                  the graph of nodes, and what must hold in it       build_graph check
    analysis      eleven proofs, each with its witness               analyze
    layout        ids, offsets, masks, tables                        layout freeze target
    emit          files, a folder of them, a wheel                   render write compile
    compat        what a change means for those who use it
    lint          what compiles and is better done otherwise
    driver        runs the passes
    lsp           the language server
    cli           the command `rsppc`

A pass is one file with one function of its name: `pass(value, ctx)`. It reports to `ctx.sink` and goes on; it returns
None only when nothing is left to go on with.
"""

__version__ = "0.1.0"
