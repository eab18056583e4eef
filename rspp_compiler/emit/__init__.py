"""From the frozen plan to a package that can be imported.

`render`        the pass: plan to files, in memory; uses the views below and `templates`
`plan_view`     the plan tables as aligned rows of Python literals
`package_view`  names, hashes and tables that the other templates print
`kernel_view`   the plan as the compiled kernel's constants and functions
`mermaid`       the graph as a picture
`sourcemap`     generated lines to the source's lines
`manifest`      which files the package has, and their hashes
`write`         the pass: files to disk, only what changed
`compile`       the pass: package to wheel; uses `cache` and `toolchain`
`installed`     what is installed here, found without starting anything
`receipt`       what a build was made of, so that the same build need not be done again
`place`         files, wheel and extension, put where they belong
`container`     a build context for an image, and the image
`templates`     the one place that knows jinja2
"""
