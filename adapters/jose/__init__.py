"""Signed statements of other systems (JOSE, RFC 7515 to 7519): their public keys, and what they sign with them."""
