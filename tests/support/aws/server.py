"""AWS (moto) on this machine's loopback interface, whose STS takes ID tokens of one issuer.

    python server.py JWKS CLIENT_ID

A token is good when it is signed by a key at JWKS and is for CLIENT_ID. Prints one line of JSON when it is ready, and ends with
its standard input.
"""

import io
import json
import os
import sys
import threading
import urllib.parse
import urllib.request

from authlib.jose import JsonWebKey, jwt
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

JWKS, CLIENT_ID = sys.argv[1:]
REFUSAL = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>InvalidIdentityToken</Code><Message>Incorrect token audience</Message></Error></ErrorResponse>"""


def is_good(token):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    keys = JsonWebKey.import_key_set(json.load(opener.open(JWKS)))
    try:
        claims = jwt.decode(token, keys, claims_options={"aud": {"essential": True, "value": CLIENT_ID}})
        claims.validate()
    except Exception:
        return False
    return True


class Checked:
    """What moto does not check."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = dict(urllib.parse.parse_qsl(body.decode("latin-1")))
        if form.get("Action") == "AssumeRoleWithWebIdentity" and not is_good(form["WebIdentityToken"]):
            start_response("400 Bad Request", [("Content-Type", "text/xml"), ("Content-Length", str(len(REFUSAL)))])
            return [REFUSAL]
        return self.app(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


def end_with_standard_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    app = Checked(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(json.dumps({"address": f"http://127.0.0.1:{server.port}"}), flush=True)
    server.serve_forever()


main()
