"""A real registry of images (`docker-registry`) with token authentication, and its token server.

    python images.py FOLDER USERINFO

The token server takes any user name, with a good token as password of HTTP Basic, and signs what that user may do (Distribution, "Token Authentication Specification").
"""

import base64
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse

import common

CONFIG = """\
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: %(folder)s/images}}
http: {addr: '127.0.0.1:0', secret: not-secret}
auth:
  token: {realm: '%(realm)s', service: images, issuer: tests, rootcertbundle: %(certificate)s}
"""


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims, key_file, certificate_file):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    der = x509.load_pem_x509_certificate(certificate_file.read_bytes()).public_bytes(serialization.Encoding.DER)
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class Handler(common.Handler):
    def do_GET(self):
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(value).decode().partition(":") if scheme == "Basic" else ("", "", "")
        if not user or not common.is_good(password):
            return self.send(401, www_authenticate='Basic realm="images"')
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = [scope.split(":") for text in query.get("scope", []) for scope in text.split(" ")]
        access = [{"type": kind, "name": name, "actions": actions.split(",")} for kind, name, actions in scopes]
        now = int(time.time())
        claims = {"iss": "tests", "aud": "images", "sub": user, "jti": "1", "iat": now, "nbf": now - 10, "exp": now + 300, "access": access}
        token = signed(claims, self.server.key_file, self.server.certificate_file)
        self.send(200, {"token": token, "access_token": token, "expires_in": 300})


def registry(realm, certificate_file):
    config = common.FOLDER / "registry.yml"
    config.write_text(CONFIG % {"folder": common.FOLDER, "realm": realm, "certificate": certificate_file})
    started = subprocess.Popen(
        ["docker-registry", "serve", config], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}
    )
    log = open(common.FOLDER / "registry.log", "wb")
    for line in started.stderr:
        log.write(line)
        if found := re.search(rb"listening on (127\.0\.0\.1:\d+)", line):
            return started, found[1].decode(), log
    raise SystemExit(f"docker-registry ended; see {log.name}")


def main():
    server = common.server(Handler)
    server.key_file, server.certificate_file = common.certificate("tests")
    started, address, log = registry(f"http://127.0.0.1:{server.server_port}/token", server.certificate_file)

    def keep_log():
        # Unread, it would fill the pipe, and the registry would wait.
        for line in started.stderr:
            log.write(line)

    threading.Thread(target=keep_log, daemon=True).start()
    common.serve({"address": f"http://{address}"}, server, started.kill)


main()
