"""From paths to the AST.

`load`      paths to texts, their encoding checked
`encoding`  bytes that are not UTF-8, and what they probably mean
`parse`     text to tree, by the grammar; goes on behind a mistake
`scan`      text to tokens; `quotes` ends texts that do not end, `brackets` balances what is not balanced
`machine`   tokens to `tree`, by the `tables` that `make_tables` lets lark make of the grammar
`recover`   what to do at a token that does not fit: a `mistake` says what is wrong, in the words of `expected`
`findings`  a file's mistakes, a line once, and not too many
`lower`     tree to AST
`link`      imports to one program
`json`      all of this for files that end in `.json`
`layers`    TOML files and `--set` texts to overrides

And from the AST to text, for `rsppc fmt`:

`format`    a source in its canonical form
`print`     AST to document; `print_values` what stands within a line, `written` what only the source can tell
`comments`  found in the source, and put into the document
`document`  items, the blanks and brackets within them, comments
`lines`     document to lines: what fits into one, and where to break what does not
`columns`   lines to text: what is aligned
"""
