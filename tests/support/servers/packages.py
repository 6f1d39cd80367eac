"""A package index (the simple repository API, HTML). Each name is a package here, with one version and one module.

    python packages.py FOLDER USERINFO

The token comes as the password of HTTP Basic. Prints a line for each request: the user name, and whether the token was good.
"""

import base64
import io
import json
import re
import zipfile

import common

PAGE = re.compile(r"^/simple/([a-z]+)/$")
FILE = re.compile(r"^/files/([a-z]+)-1\.0-py3-none-any\.whl$")


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


class Handler(common.Handler):
    def do_GET(self):
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        user, _, token = base64.b64decode(value).decode().partition(":") if scheme == "Basic" else ("", "", "")
        good = common.is_good(token)
        if scheme:
            print(json.dumps({"user": user, "good": good}), flush=True)
        if not good:
            self.send(401, WWW_Authenticate='Basic realm="packages"')
        elif page := PAGE.match(self.path):
            file = f"{page[1]}-1.0-py3-none-any.whl"
            link = f'<!DOCTYPE html><a href="/files/{file}">{file}</a>'
            self.send(200, link.encode(), Content_Type="text/html")
        elif file := FILE.match(self.path):
            self.send(200, wheel(file[1]), Content_Type="application/octet-stream")
        else:
            self.send(404)

    do_HEAD = do_GET


def main():
    server = common.server(Handler)
    common.serve({"address": f"http://127.0.0.1:{server.server_port}"}, server)


main()
