"""A Kubernetes API server with one pod, as much of it as `kubectl get pods` uses. Every request needs a good bearer token.

    python cluster.py FOLDER USERINFO

Each request is a line in FOLDER/requests: its status and path.
"""

import common

PODS = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [PODS]},
    "/api/v1/namespaces/default/pods": {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {},
        "items": [{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a-pod", "namespace": "default"}}],
    },
}


class Handler(common.Handler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        status = 200 if path in ANSWERS else 404
        if not self.has_good_bearer():
            status = 401
        with open(common.FOLDER / "requests", "a") as requests:
            requests.write(f"{status} {path}\n")
        failure = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
        self.send(status, ANSWERS[path] if status == 200 else failure | {"reason": {401: "Unauthorized"}.get(status, "NotFound")})


def main():
    server = common.server(Handler)
    certificate = common.with_tls(server, "localhost")
    common.serve({"address": f"https://127.0.0.1:{server.server_port}", "certificate": str(certificate)}, server)


main()
