"""A registry of crates with a sparse index (The Cargo Book, "Running a Registry"). Every request needs a good bearer token.

    python crates.py FOLDER USERINFO
"""

import hashlib
import json

import common

INDEX, CRATES = {}, {}


class Handler(common.Handler):
    def do_GET(self):
        if not self.has_good_bearer():
            return self.send(401, www_authenticate="Bearer")
        base = f"http://127.0.0.1:{self.server.server_port}"
        if self.path == "/index/config.json":
            return self.send(200, {"dl": f"{base}/crates/{{crate}}/{{version}}", "api": base, "auth-required": True})
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/index/") and name in INDEX:
            return self.send(200, "".join(json.dumps(line) + "\n" for line in INDEX[name]).encode())
        if self.path in CRATES:
            return self.send(200, CRATES[self.path])
        self.send(404)

    def do_PUT(self):
        body = self.body()
        if not self.has_good_bearer():
            return self.send(403, {"errors": [{"detail": "the token is not good"}]})
        if self.path != "/api/v1/crates/new":
            return self.send(404)
        length = int.from_bytes(body[:4], "little")
        about, crate = json.loads(body[4 : 4 + length]), body[8 + length :]
        name, version = about["name"], about["vers"]
        line = {"name": name, "vers": version, "deps": [], "features": {}, "yanked": False, "cksum": hashlib.sha256(crate).hexdigest()}
        INDEX.setdefault(name, []).append(line)
        CRATES[f"/crates/{name}/{version}"] = crate
        self.send(200, {"warnings": {"invalid_categories": [], "invalid_badges": [], "other": []}})


def main():
    server = common.server(Handler)
    common.serve({"address": f"http://127.0.0.1:{server.server_port}/index"}, server)


main()
