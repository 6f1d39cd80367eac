"""A small API on this machine's loopback interface, for users with an access token.

    python api.py USERINFO REFUSED

A token is good when the userinfo endpoint at USERINFO takes it, unless it is in the file REFUSED. Prints one line of JSON when
it is ready, and ends with its standard input.

    /v1/echo   what was received, as JSON: method, path, headers, length and SHA-256 of the body
    /v1/moved  a redirect to /v1/echo on the same host
    /v1/flow   an answer in parts: the second part comes when /v1/go was asked for
"""

import hashlib
import json
import os
import pathlib
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USERINFO, REFUSED = sys.argv[1:]
GO = threading.Event()


def is_good(header):
    scheme, _, token = header.partition(" ")
    refused = pathlib.Path(REFUSED)
    if scheme != "Bearer" or (refused.exists() and refused.read_text() == token):
        return False
    asked = urllib.request.Request(USERINFO, headers={"authorization": header})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(asked).status == 200
    except urllib.error.HTTPError:
        return False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers.get("content-length") or 0)
            while left:
                part = self.rfile.read(min(left, 65536))
                left -= len(part)
                yield part

    def handle_request(self):
        digest, length = hashlib.sha256(), 0
        for part in self.body():
            digest.update(part)
            length += len(part)
        if not is_good(self.headers.get("authorization", "")):
            return self.answer(401, {"error": "unauthorized"}, [("WWW-Authenticate", "Bearer")])
        if self.path == "/v1/moved":
            return self.answer(302, {}, [("Location", f"http://{self.headers['host']}/v1/echo")])
        if self.path == "/v1/go":
            GO.set()
        if self.path == "/v1/flow":
            return self.flow()
        received = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "length": length,
            "sha256": digest.hexdigest(),
        }
        return self.answer(200, received, [("Set-Cookie", "session=1"), ("Keep-Alive", "timeout=5")])

    def answer(self, status, body, headers):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in [*headers, ("content-type", "application/json"), ("content-length", str(len(text)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def flow(self):
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        self.wfile.flush()
        GO.wait(60)
        self.wfile.write(b"7\r\nsecond\n\r\n0\r\n\r\n")

    do_GET = do_POST = do_PUT = handle_request

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
