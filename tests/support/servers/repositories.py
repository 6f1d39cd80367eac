"""A git server (`git http-backend`) for the repositories in FOLDER. The token comes as the password of HTTP Basic, or as a bearer token.

    python repositories.py FOLDER USERINFO [--bearer]
"""

import base64
import os
import subprocess
import sys

import common

SCHEME = "Bearer" if "--bearer" in sys.argv else "Basic"


class Handler(common.Handler):
    def has_good_password(self):
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return scheme == "Basic" and common.is_good(base64.b64decode(value).decode().partition(":")[2])

    def handle_request(self):
        body = self.body()
        if not (self.has_good_bearer() if SCHEME == "Bearer" else self.has_good_password()):
            return self.send(401, WWW_Authenticate=f'{SCHEME} realm="git"')
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(common.FOLDER),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": "user",
            "REMOTE_ADDR": "127.0.0.1",
        }
        for name in ("Content-Encoding", "Git-Protocol"):
            if self.headers.get(name):
                environment["HTTP_" + name.upper().replace("-", "_")] = self.headers[name]
        ran = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE, check=True)
        head, _, answer = ran.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = headers.pop("Status", "200 OK")
        self.send(int(status.split()[0]), answer, **headers)

    do_GET = do_POST = handle_request


def main():
    server = common.server(Handler)
    common.serve({"address": f"http://127.0.0.1:{server.server_port}"}, server)


main()
