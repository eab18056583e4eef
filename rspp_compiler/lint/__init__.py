"""`rsppc lint`: what compiles, and what somebody who builds voice agents for a living would do otherwise.

`subject`   what the rules look at: the AST with its names, and the spec and analysis where there are any
`rules`     one function for each code; `RULES` is the list of them
`settings`  which of them the project wants: `rspp.toml` or `pyproject.toml`
`allow`     `# rspp: allow W0301 because …`: what a file allows in place
`lint`      the pass: all rules, less what is allowed

Rules judge, and may be wrong about a pipeline; the checks of `sema` and `analysis` prove. So nothing here is an error,
and everything can be allowed.
"""
