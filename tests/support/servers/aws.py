"""AWS (moto), whose STS takes ID tokens of one issuer.

    python aws.py FOLDER USERINFO JWKS CLIENT_ID
"""

import io
import urllib.parse

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

import common
import id_token

REFUSAL = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>InvalidIdentityToken</Code><Message>Incorrect token audience</Message></Error></ErrorResponse>"""


class Checked:
    """What moto does not check."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        form = dict(urllib.parse.parse_qsl(body.decode("latin-1")))
        if form.get("Action") == "AssumeRoleWithWebIdentity" and not id_token.is_good(form["WebIdentityToken"]):
            start_response("400 Bad Request", [("Content-Type", "text/xml"), ("Content-Length", str(len(REFUSAL)))])
            return [REFUSAL]
        return self.app(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


def main():
    app = Checked(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    common.serve({"address": f"http://127.0.0.1:{server.port}"}, server)


main()
