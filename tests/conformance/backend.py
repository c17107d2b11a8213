"""A backend for clients that only look at the protocol: answers every request with some bytes, after its body."""
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024

    def read_body(self):
        """False where the body ended early: the proxy cut off what its client cut off."""
        if not self.headers.get("Transfer-Encoding"):
            length = int(self.headers.get("Content-Length", 0))
            return len(self.rfile.read(length)) == length
        while line := self.rfile.readline():
            size = int(line.split(b";")[0], 16)
            if size == 0:
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                return True
            self.rfile.read(size + 2)
        return False

    def answer(self):
        if not self.read_body():
            self.close_connection = True
            return
        body = b"conformance " * 100
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # the proxy may close whenever it likes
            super().handle_error(request, client_address)


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
