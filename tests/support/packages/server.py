"""A package index (the simple repository API, HTML) on this machine's loopback interface, for users with an access token.

    python server.py USERINFO

Each name is a package here, with one version and one module. The token comes as the password of HTTP Basic, and is good when
the userinfo endpoint at USERINFO takes it. Prints one line of JSON when it is ready, and then a line for each request: the
user name, and whether the token was good. Ends with its standard input.
"""

import base64
import io
import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USERINFO = sys.argv[1]
PAGE = re.compile(r"^/simple/([a-z]+)/$")
FILE = re.compile(r"^/files/([a-z]+)-1\.0-py3-none-any\.whl$")


def is_good(token):
    asked = urllib.request.Request(USERINFO, headers={"authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(asked).status == 200
    except urllib.error.HTTPError:
        return False


def wheel(name):
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "GREETING = 'hello'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return packed.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        user, _, token = base64.b64decode(value).decode().partition(":") if scheme == "Basic" else ("", "", "")
        good = bool(token) and is_good(token)
        if scheme:
            print(json.dumps({"user": user, "good": good}), flush=True)
        if not good:
            self.answer(401, b"", [("WWW-Authenticate", 'Basic realm="packages"')])
        elif page := PAGE.match(self.path):
            file = f"{page[1]}-1.0-py3-none-any.whl"
            self.answer(200, f'<!DOCTYPE html><a href="/files/{file}">{file}</a>'.encode(), [("Content-Type", "text/html")])
        elif file := FILE.match(self.path):
            self.answer(200, wheel(file[1]), [("Content-Type", "application/octet-stream")])
        else:
            self.answer(404, b"", [])

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def end_with_standard_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(json.dumps({"address": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()


main()
