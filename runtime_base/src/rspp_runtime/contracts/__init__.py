"""Data against the contracts (docs/contracts.md §2 to §6): `rspp contracts validate`, and whoever takes data in.

`reading`     JSON to the letter, with the place of every value
`rules`       a published schema as rules with names; what of them some data breaks
`fields`      … those of one value
`conditions`  … those between the fields of an object
`validation`  a folder of samples, valid ones and invalid ones
`schemas/`    the schemas: copies of docs/schemas, which the compiler makes of its models (`make schemas`)
"""

from __future__ import annotations
