"""A small API that repeats what it receives.

    python api.py FOLDER USERINFO

    /v1/echo   what was received, as JSON: method, path, headers, length and SHA-256 of the body
    /v1/moved  a redirect to /v1/echo on the same host
    /v1/flow   an answer in parts: the second part comes when /v1/go was asked for
"""

import hashlib
import threading

import common

GO = threading.Event()


class Handler(common.Handler):
    def parts(self):
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
        for part in self.parts():
            digest.update(part)
            length += len(part)
        if not self.has_good_bearer():
            return self.send(401, {"error": "unauthorized"}, WWW_Authenticate="Bearer")
        if self.path == "/v1/moved":
            return self.send(302, {}, Location=f"http://{self.headers['host']}/v1/echo")
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
        return self.send(200, received, Set_Cookie="session=1", Keep_Alive="timeout=5")

    def flow(self):
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        self.wfile.flush()
        GO.wait(60)
        self.wfile.write(b"7\r\nsecond\n\r\n0\r\n\r\n")

    do_GET = do_POST = do_PUT = handle_request


def main():
    server = common.server(Handler)
    common.serve({"address": f"http://127.0.0.1:{server.server_port}"}, server)


main()
