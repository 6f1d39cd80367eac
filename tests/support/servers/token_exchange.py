"""Google's token exchange (RFC 8693) for ID tokens of one issuer.

    python token_exchange.py FOLDER USERINFO JWKS CLIENT_ID

Prints a line with the subject token's type for each exchange.
"""

import urllib.parse

import common
import id_token


class Handler(common.Handler):
    def do_POST(self):
        body = self.body().decode()
        form = dict(urllib.parse.parse_qsl(body))
        if not id_token.is_good(form["subject_token"]):
            return self.send(400, {"error": "invalid_grant", "error_description": "the subject token is not good"})
        print(form["subject_token_type"], flush=True)
        self.send(200, {
            "access_token": "federated",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        })


def main():
    server = common.server(Handler)
    common.serve({"address": f"http://127.0.0.1:{server.server_port}/token"}, server)


main()
