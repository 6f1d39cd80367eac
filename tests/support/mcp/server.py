"""An MCP server of the official Python SDK on this machine's loopback interface, with its own authorization server.

    python server.py [--stdin-lifeline]

Everyone who comes to its sign-in page is signed in and has agreed. Prints its address as one line of JSON when it is ready.
With --stdin-lifeline it ends when its standard input does. Everything it knows is in memory.
"""

import argparse
import json
import os
import secrets
import socket
import sys
import threading
import time

import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthToken

SCOPES = ["files"]
LIFETIME = 3600


class Everybody:
    """Registers every client, and agrees to everything."""

    def __init__(self):
        self.clients, self.codes, self.access, self.refresh = {}, {}, {}, {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client):
        self.clients[client.client_id] = client

    async def authorize(self, client, params):
        code = secrets.token_urlsafe(32)
        self.codes[code] = AuthorizationCode(
            code=code,
            client_id=client.client_id,
            scopes=params.scopes or SCOPES,
            expires_at=time.time() + 60,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject="ada",
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(self, client, code):
        return self.codes.get(code)

    async def exchange_authorization_code(self, client, code):
        del self.codes[code.code]
        return self.issue(client.client_id, code.scopes, code.resource)

    async def load_refresh_token(self, client, token):
        return self.refresh.get(token)

    async def exchange_refresh_token(self, client, token, scopes):
        del self.refresh[token.token]
        return self.issue(client.client_id, scopes, token.resource)

    async def load_access_token(self, token):
        return self.access.get(token)

    async def revoke_token(self, token):
        self.access.pop(token.token, None)
        self.refresh.pop(token.token, None)

    def issue(self, client_id, scopes, resource):
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        own = {"client_id": client_id, "scopes": scopes, "resource": resource, "subject": "ada"}
        self.access[access] = AccessToken(token=access, expires_at=int(time.time()) + LIFETIME, **own)
        self.refresh[refresh] = RefreshToken(token=refresh, **own)
        return OAuthToken(
            access_token=access,
            refresh_token=refresh,
            expires_in=LIFETIME,
            scope=" ".join(scopes),
        )


def end_with_standard_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(prog="server.py")
    parser.add_argument("--stdin-lifeline", action="store_true")
    options = parser.parse_args()
    if options.stdin_lifeline:
        threading.Thread(target=end_with_standard_input, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    registration = ClientRegistrationOptions(
        enabled=True,
        valid_scopes=SCOPES,
        default_scopes=SCOPES,
    )
    server = MCPServer(
        "files",
        auth_server_provider=Everybody(),
        auth=AuthSettings(
            issuer_url=issuer,
            resource_server_url=f"{issuer}/mcp",
            required_scopes=SCOPES,
            client_registration_options=registration,
            revocation_options=RevocationOptions(enabled=True),
            # A token for another resource is not accepted (RFC 8707).
            validate_token_resource=True,
        ),
    )
    site = server.streamable_http_app(json_response=True, stateless_http=True)
    print(json.dumps({"address": f"{issuer}/mcp"}), flush=True)
    uvicorn.Server(uvicorn.Config(site, log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
