"""A registry of terraform modules with one module, `acme/thing/local` (Terraform, "Module Registry Protocol"). Its versions need a good bearer token.

    python modules.py FOLDER USERINFO
"""

import io
import zipfile

import common

ARCHIVE = io.BytesIO()
with zipfile.ZipFile(ARCHIVE, "w") as archive:
    archive.writestr("main.tf", 'output "answer" { value = 42 }\n')


class Handler(common.Handler):
    def do_GET(self):
        base = f"https://127.0.0.1:{self.server.server_port}"
        if self.path == "/.well-known/terraform.json":
            return self.send(200, {"modules.v1": "/modules/"})
        if self.path.startswith("/thing.zip"):
            return self.send(200, ARCHIVE.getvalue(), content_type="application/zip")
        if not self.has_good_bearer():
            return self.send(401)
        if self.path == "/modules/acme/thing/local/versions":
            return self.send(200, {"modules": [{"versions": [{"version": "1.0.0"}]}]})
        if self.path == "/modules/acme/thing/local/1.0.0/download":
            return self.send(204, X_Terraform_Get=f"{base}/thing.zip")
        self.send(404)

    do_HEAD = do_GET


def main():
    server = common.server(Handler)
    certificate = common.with_tls(server, "localhost")
    common.serve({"address": f"https://127.0.0.1:{server.server_port}", "certificate": str(certificate)}, server)


main()
