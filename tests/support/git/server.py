"""A real git server (`git http-backend`) on this machine's loopback interface, for users with an access token.

    python server.py FOLDER USERINFO [--bearer]

FOLDER holds the repositories, and in the file `refused` a token that the server does not take. Any other token is good when the userinfo endpoint at USERINFO takes it; it comes as the password of
HTTP Basic, or as a bearer token with --bearer. Prints one line of JSON when it is ready, and ends with its standard input.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER, USERINFO, *OPTIONS = sys.argv[1:]
BEARER = "--bearer" in OPTIONS


def token_of(header):
    scheme, _, value = header.partition(" ")
    if BEARER:
        return value if scheme == "Bearer" else None
    if scheme != "Basic":
        return None
    return base64.b64decode(value).decode().partition(":")[2]


def is_good(token):
    refused = pathlib.Path(FOLDER, "refused")
    if refused.exists() and refused.read_text() == token:
        return False
    asked = urllib.request.Request(USERINFO, headers={"authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(asked).status == 200
    except urllib.error.HTTPError:
        return False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_request(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        token = token_of(self.headers.get("authorization", ""))
        if token is None or not is_good(token):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Bearer realm="git"' if BEARER else 'Basic realm="git"')
            self.send_header("content-length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": FOLDER,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_USER": "user",
            "REMOTE_ADDR": "127.0.0.1",
        }
        for name in ("Content-Encoding", "Git-Protocol"):
            if self.headers.get(name):
                environment["HTTP_" + name.upper().replace("-", "_")] = self.headers[name]
        ran = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=True)
        head, _, answer = ran.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = handle_request

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
