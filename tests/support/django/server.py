"""A second real authorization server (django-oauth-toolkit) on this machine's loopback interface.

    python server.py [--port N] [--access-token-ttl SECONDS] [--rotation none|plain|grace|strict] [--stdin-lifeline]

Prints one line of JSON when it is ready. With --stdin-lifeline it ends when its standard input does, so that it
never outlives the program that started it. Everything it knows is in memory.
"""

import argparse
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

sys.dont_write_bytecode = True

import project  # noqa: E402


def whole(least, most):
    def parse(text):
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")
        return number

    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="server.py")
    parser.add_argument("--port", type=whole(0, 65535), default=0)
    parser.add_argument("--access-token-ttl", type=whole(1, 86400), default=300)
    parser.add_argument("--rotation", choices=sorted(project.ROTATIONS), default="plain")
    parser.add_argument("--stdin-lifeline", action="store_true")
    return parser.parse_args()


def end_with_standard_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    options = arguments()
    if options.stdin_lifeline:
        threading.Thread(target=end_with_standard_input, daemon=True).start()
    server = ThreadedWSGIServer(("127.0.0.1", options.port), WSGIRequestHandler)
    issuer = f"http://127.0.0.1:{server.server_port}/o"
    # One thread runs Django, because the database in memory belongs to one connection. Requests wait their turn.
    worker = ThreadPoolExecutor(max_workers=1)
    site, description = worker.submit(
        project.build, issuer, options.access_token_ttl, options.rotation
    ).result()

    def answer(environ, start_response):
        response = site(environ, start_response)
        try:
            return list(response)
        finally:
            response.close()

    server.set_app(lambda environ, start_response: worker.submit(answer, environ, start_response).result())
    print(json.dumps(description), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
