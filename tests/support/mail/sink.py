"""An SMTP server on this machine's loopback interface that puts each message into a maildir.

    python sink.py MAILDIR

Takes what dovecot's submission service passes on, which has checked the sender. Prints its port when it is ready, and ends with
its standard input.
"""

import itertools
import os
import pathlib
import socketserver
import sys
import threading

MAILDIR = pathlib.Path(sys.argv[1])
NUMBERS = itertools.count()


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink.example ESMTP")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                self.say("354 go on")
                self.keep()
                self.say("250 kept")
            elif verb == b"QUIT":
                return self.say("221 bye")
            elif verb in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"):
                self.say("250 sink.example")
            else:
                self.say("502 not here")

    def keep(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        # dovecot may read them as another user.
        os.umask(0)
        name = f"1.{next(NUMBERS)}.sink"
        for folder in ("tmp", "new", "cur"):
            (MAILDIR / folder).mkdir(parents=True, exist_ok=True)
        (MAILDIR / "tmp" / name).write_bytes(b"".join(lines).replace(b"\r\n", b"\n"))
        (MAILDIR / "tmp" / name).rename(MAILDIR / "new" / name)


def end_with_standard_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
