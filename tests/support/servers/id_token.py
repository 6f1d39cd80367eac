"""Whether an ID token is good: it is signed by a key at JWKS, and is for CLIENT_ID. Those are the last two arguments of a server."""

import json
import sys
import urllib.request

from authlib.jose import JsonWebKey, jwt

JWKS, CLIENT_ID = sys.argv[3:]


def is_good(token):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    keys = JsonWebKey.import_key_set(json.load(opener.open(JWKS)))
    try:
        claims = jwt.decode(token, keys, claims_options={"aud": {"essential": True, "value": CLIENT_ID}})
        claims.validate()
    except Exception:
        return False
    return True
