"""A hospital's own sign-on: OpenID Connect Core 1.0, the authorization code with PKCE."""
