"""Who may come in: signed tokens, the keys that sign them, and the pages that may open a socket.

keys       Ed25519 keys from files (PEM, JWK, JWKS), or made in memory for development
tokens     issued, verified, and used once
origins    which web pages, and under which host name
"""
