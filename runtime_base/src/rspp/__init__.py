"""What a client needs of RSPP, and nothing of what a server needs.

rspp.wire      the protocol rspp/1: messages, encodings, close codes (docs/protocol.md)
rspp.client    a conversation over it
"""
