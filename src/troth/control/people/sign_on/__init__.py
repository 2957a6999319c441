"""Signing on with a client firm's own provider: OpenID Connect and SAML 2.0, bound to its own domains.

`connection` is what two people approved; `openid` and `saml` ask the provider and check what it answers; `attempts`
holds each round trip, once; `entering` decides what an identity may open; `views` are the steps.
"""
