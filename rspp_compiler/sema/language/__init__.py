"""What there is to write: the vocabulary, as tables. No rule and no finding is made here.

`catalog`           what a kind, a port, a setting, a provider is; words outside of kinds
`kinds`             every kind of node; `engines` every provider, `events` every event and variable
`tables`            the settings of flows, tools, providers: of all that is no kind
`units`             numbers with units, and back
`profile`           the values a pipeline need not say, from `profiles/`
`foreign`           what other tools call it all; `foreign_settings` their settings
"""
