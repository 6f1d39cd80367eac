"""A third-party program that uses Tokenry through Authlib, as its documentation says: all that it knows of
Tokenry are the paths below /v1. Prints what happened in lines of JSON, none of which holds a token.

    python with_authlib.py --issuer URL --client-id ID --granted NAME --withheld NAME --userinfo URL
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

parser = argparse.ArgumentParser()
for name in ("issuer", "client-id", "granted", "withheld", "userinfo"):
    parser.add_argument(f"--{name}", required=True)
given = parser.parse_args()


def say(step, **what):
    print(json.dumps({"step": step, **what}), flush=True)


# RFC 8414; plain http is taken from this machine only.
found = requests.get(get_well_known_url(given.issuer, external=True))
server = AuthorizationServerMetadata(found.json())
server.validate()
if server["issuer"] != given.issuer:
    raise ValueError("the metadata are those of another issuer (RFC 8414 §3.3)")
say("discovered", issuer=server["issuer"])


class Redirected(BaseHTTPRequestHandler):
    """Takes the one request that the browser brings."""

    def do_GET(self):
        self.server.address = f"{redirect_uri}?{urlsplit(self.path).query}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Signed in.")

    def log_message(self, *_):
        """The address holds the code, and is nobody's business."""


# The redirect comes to a port that was free just now (RFC 8252 §7.3).
listener = HTTPServer(("127.0.0.1", 0), Redirected)
redirect_uri = f"http://127.0.0.1:{listener.server_port}/callback"

session = OAuth2Session(
    given.client_id,
    scope="connections:read tokens:read",
    redirect_uri=redirect_uri,
    code_challenge_method="S256",
    token_endpoint=server["token_endpoint"],
)
code_verifier = generate_token(64)
address, state = session.create_authorization_url(server["authorization_endpoint"], code_verifier=code_verifier)
say("asks", address=address)

listener.handle_request()
listener.server_close()


def exchange(answer):
    """Authlib looks at `state`. It leaves `iss`, which the metadata promises, to who uses it (RFC 9207 §2.4)."""
    if parse_qs(urlsplit(answer).query).get("iss") != [server["issuer"]]:
        raise ValueError("this is the answer of another server")
    return session.fetch_token(authorization_response=answer, state=state, code_verifier=code_verifier)


try:
    exchange(listener.address.replace("&iss=", "&iss=x"))
    say("mixed-up", refused=False)
except ValueError:
    say("mixed-up", refused=True)
first = exchange(listener.address)
say("authorized", scope=first["scope"], expires_in=first["expires_in"])


def call(method, path):
    """One request to the API, with the access token that the session has."""
    answered = session.request(method, given.issuer + path)
    body = answered.json()
    say("called", path=path, status=answered.status_code, **({} if answered.ok else {"code": body["error"]["code"]}))
    return body


def token(connection):
    return f"/v1/connections/{connection}/token"


say("sees", connections=[connection["name"] for connection in call("GET", "/v1/connections")])

handed = call("POST", token(given.granted))
account = requests.get(given.userinfo, headers={"authorization": f"Bearer {handed['access_token']}"})
say("acts", **{"as": account.json()["email"]})

call("POST", token(given.withheld))
call("GET", "/v1/events")

second = session.refresh_token()
say("refreshed", rotated=second["refresh_token"] != first["refresh_token"], scope=second["scope"])
call("POST", token(given.granted))

revoked = session.revoke_token(
    server["revocation_endpoint"], second["refresh_token"], token_type_hint="refresh_token"
)
revoked.raise_for_status()
say("revoked")
call("POST", token(given.granted))
try:
    session.refresh_token()
    say("refreshed")
except OAuthError as error:
    say("not-refreshed", error=error.error)
