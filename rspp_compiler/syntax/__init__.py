"""From paths to the AST.

`load`      paths to texts, their encoding checked
`encoding`  bytes that are not UTF-8, and what they probably mean
`parse`     text to tree, by the grammar; goes on after a mistake
`brackets`  finds and mends unbalanced brackets and open strings, so that parsing can go on
`expected`  what the grammar would have accepted, in human words
`lower`     tree to AST
`link`      imports to one program
"""
