"""The grammar of `.rspp` files, as data: `rspp.lark`."""
