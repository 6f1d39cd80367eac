"""What the servers in this folder share: small servers on this machine's loopback interface, for users with an access token.

Each is called with a FOLDER for its files and the address USERINFO of a userinfo endpoint. A token is good when that endpoint takes it, unless it stands in the file
`refused` in FOLDER, or that file holds a `*`. Each prints one line of JSON when it is ready, and ends with its standard input.
"""

import datetime
import ipaddress
import json
import os
import pathlib
import ssl
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER, USERINFO = pathlib.Path(sys.argv[1]), sys.argv[2]


def is_good(token):
    file = FOLDER / "refused"
    refused = file.read_text().split() if file.exists() else []
    if not token or token in refused or "*" in refused:
        return False
    request = urllib.request.Request(USERINFO, headers={"authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(request).status == 200
    except urllib.error.HTTPError:
        return False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def has_good_bearer(self):
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and is_good(token)

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def send(self, status, body=b"", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = {"content_type": "application/json"} | headers
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def certificate(name):
    """A key and a certificate that the key signed itself, for this name and 127.0.0.1: two PEM files in FOLDER."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file, certificate_file = FOLDER / "key.pem", FOLDER / "certificate.pem"
    key_file.write_bytes(private)
    certificate_file.write_bytes(signed.public_bytes(pem))
    return key_file, certificate_file


def server(handler):
    """A server at a free port; it answers once `serve` is called."""
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def with_tls(plain, name):
    """The same server with https, and the file with its certificate."""
    key_file, certificate_file = certificate(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    plain.socket = context.wrap_socket(plain.socket, server_side=True, do_handshake_on_connect=False)
    return certificate_file


def serve(ready, listening, at_the_end=lambda: None):
    def end_with_standard_input():
        while sys.stdin.buffer.read(4096):
            pass
        at_the_end()
        os._exit(0)

    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(json.dumps(ready), flush=True)
    listening.serve_forever()
