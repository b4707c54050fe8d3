"""Where a client finds out how to get a token (hl7.org/fhir/smart-app-launch/conformance.html).

The same for every hospital, also for one that does not exist: it says nothing about which ones do.
"""

from __future__ import annotations

import json
from functools import lru_cache

from api.auth.assertions import ALGORITHMS, ENDPOINT

WELL_KNOWN = ".well-known/smart-configuration"


@lru_cache(maxsize=4)
def configuration(public_url: str) -> bytes:
    return json.dumps(
        {
            "token_endpoint": f"{public_url}{ENDPOINT}",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": ["system/*.cruds", "system/*.rs"],
            # Required by the specification also of servers that have no authorization endpoint, like this one.
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }
    ).encode()
