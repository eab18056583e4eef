"""The JSON form of a program: from `.json` to the AST, and back.

`scan`       text to tree; mends what is nearly JSON
`tree`       the tree: every key and value with its place
`read`       the document of a text: its schema is known, and it has been checked
`check`      a document against its schema, `ir/json_form.py`
`lower`      document to AST
`notation`   the texts in a document that are in the language's own notation
`bundle`     several documents to one program
`adapt`      findings of all passes: the field that each is about, and fixes that leave the file JSON
`edits`      changes of a JSON text

And from the AST to JSON, for `rsppc fmt --to json`:

`write`      AST to data
`variables`  which `${` of a text are variables
`print`      data to text, in the canonical layout

`parse` and `lower` of `syntax` come here for files that end in `.json`.
"""
