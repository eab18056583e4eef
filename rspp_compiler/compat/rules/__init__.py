"""The rules, by what they look at.

`nodes`      nodes and their ports: custom ones are code, all of them are named by layers and dashboards
`edges`      flows, their bounds and their order
`user`       what clients hear, see and may do
`control`    reactions, modes, the owner of the turn's end
`offers`     providers, tools, policies, secrets
`operation`  budgets, worst cases, memory, recording, version
"""
