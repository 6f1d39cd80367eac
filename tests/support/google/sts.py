"""Google's token exchange (RFC 8693) on this machine's loopback interface, for ID tokens of one issuer.

    python sts.py JWKS CLIENT_ID

The subject token is good when it is signed by a key at JWKS and is for CLIENT_ID. Prints one line of JSON when it is ready, and
then a line with the subject token's type for each exchange. Ends with its standard input.
"""

import json
import os
import sys
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from authlib.jose import JsonWebKey, jwt

JWKS, CLIENT_ID = sys.argv[1:]


def is_good(token):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    keys = JsonWebKey.import_key_set(json.load(opener.open(JWKS)))
    try:
        claims = jwt.decode(token, keys, claims_options={"aud": {"essential": True, "value": CLIENT_ID}})
        claims.validate()
    except Exception:
        return False
    return True


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = dict(urllib.parse.parse_qsl(body))
        if not is_good(form["subject_token"]):
            return self.answer(400, {"error": "invalid_grant", "error_description": "the subject token is not good"})
        print(form["subject_token_type"], flush=True)
        self.answer(200, {
            "access_token": "federated",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        })

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def end_with_standard_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(json.dumps({"address": f"http://127.0.0.1:{server.server_port}/token"}), flush=True)
    server.serve_forever()


main()
