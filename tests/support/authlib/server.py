"""A real authorization server (Authlib on Flask) on this machine's loopback interface. It compares redirect URIs
exactly, knows one client, takes its secret only by HTTP Basic, demands PKCE and replaces refresh tokens.

    python server.py

Prints one line of JSON when it is ready. Each line of standard input is a redirect URI, which the client has from then
on: what an administrator pastes into a form. The server ends when its standard input does. Everything it knows is in
memory.
"""

import json
import os
import secrets
import sys
import threading
import time

sys.dont_write_bytecode = True
# A server on loopback has no certificate.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer  # noqa: E402
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants  # noqa: E402
from authlib.oauth2.rfc7009 import RevocationEndpoint  # noqa: E402
from authlib.oauth2.rfc7636 import CodeChallenge  # noqa: E402
from flask import Flask, jsonify, request  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

USER = "ada"
ACCESS_TOKEN_TTL = 300


class Client(ClientMixin):
    client_id = "tokenry-authlib"
    secret = secrets.token_urlsafe(24)
    redirect_uris = []

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return " ".join(word for word in scope.split() if word in ("read", "write"))

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


class Code(dict):
    def get_redirect_uri(self):
        return self["redirect_uri"]

    def get_scope(self):
        return self["scope"]

    @property
    def code_challenge(self):
        return self["code_challenge"]

    @property
    def code_challenge_method(self):
        return self["code_challenge_method"]


class Token(TokenMixin, dict):
    def check_client(self, client):
        return True

    def get_scope(self):
        return self["scope"]

    def get_expires_in(self):
        return ACCESS_TOKEN_TTL

    def is_expired(self):
        return self["expires_at"] < time.time()

    def is_revoked(self):
        return self["revoked"]

    def get_user(self):
        return USER

    def get_client(self):
        return CLIENT


CLIENT, CODES, TOKENS = Client(), {}, []


def token_with(name, value):
    return next((token for token in TOKENS if token.get(name) == value and not token["revoked"]), None)


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code, request):
        payload = request.payload
        CODES[code] = Code(
            redirect_uri=payload.redirect_uri,
            scope=payload.scope,
            code_challenge=payload.data.get("code_challenge"),
            code_challenge_method=payload.data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code, client):
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code):
        for code in [code for code, kept in CODES.items() if kept is authorization_code]:
            del CODES[code]

    def authenticate_user(self, authorization_code):
        return USER


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        return token_with("refresh_token", refresh_token)

    def authenticate_user(self, refresh_token):
        return USER

    def revoke_old_credential(self, refresh_token):
        refresh_token["revoked"] = True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic"]

    def query_token(self, token_string, token_type_hint):
        return token_with("access_token", token_string) or token_with("refresh_token", token_string)

    def revoke_token(self, token, request):
        token["revoked"] = True


def save_token(token, request):
    TOKENS.append(Token(token, revoked=False, expires_at=time.time() + ACCESS_TOKEN_TTL))


def application(issuer):
    app = Flask("authlib-server")
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": ACCESS_TOKEN_TTL}
    known = {CLIENT.client_id: CLIENT}
    server = AuthorizationServer(app, query_client=known.get, save_token=save_token)
    server.register_grant(CodeGrant, [CodeChallenge(required=True)])
    server.register_grant(RefreshGrant)
    server.register_endpoint(Revocation)

    @app.get("/.well-known/oauth-authorization-server")
    def metadata():
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            revocation_endpoint=f"{issuer}/revoke",
            response_types_supported=["code"],
            grant_types_supported=["authorization_code", "refresh_token"],
            code_challenge_methods_supported=["S256"],
            token_endpoint_auth_methods_supported=["client_secret_basic"],
            revocation_endpoint_auth_methods_supported=["client_secret_basic"],
            scopes_supported=["read", "write"],
        )

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize():
        if request.method == "POST":
            return server.create_authorization_response(grant_user=USER)
        # Raises what is wrong with the request, which Flask shows on a page of the server's own.
        grant = server.get_consent_grant(end_user=USER)
        return f"<form method=post><button>Allow {grant.client.get_client_id()}</button></form>"

    @app.errorhandler(Exception)
    def refused(error):
        description = getattr(error, "description", None) or str(error)
        return f"<h1>{type(error).__name__}</h1><p>{description}</p>", 400

    @app.post("/token")
    def token():
        return server.create_token_response()

    @app.post("/revoke")
    def revoke():
        return server.create_endpoint_response(Revocation.ENDPOINT_NAME)

    @app.get("/me")
    def me():
        token = token_with("access_token", request.headers.get("authorization", "").removeprefix("Bearer "))
        return jsonify(sub=USER) if token else ("", 401)

    return app


def read_redirect_uris():
    for line in sys.stdin:
        CLIENT.redirect_uris.append(line.strip())
        print("registered", flush=True)
    os._exit(0)


def main():
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Flask("none")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    issuer = f"http://127.0.0.1:{server.server_port}"
    server.app = application(issuer)
    description = {
        "issuer": issuer,
        "client_id": CLIENT.client_id,
        "client_secret": CLIENT.secret,
        "resource": f"{issuer}/me",
    }
    print(json.dumps(description), flush=True)
    threading.Thread(target=read_redirect_uris, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
