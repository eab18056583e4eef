"""What a change of a pipeline means for those who use it.

`change`   one difference: which rule found it, in words, and its two places
`rule`     the registry: an id, a category, one line of purpose, and a function for each rule
`rules/`   the rules by what they look at
`diff`     all of them over two compiled pipelines
"""
