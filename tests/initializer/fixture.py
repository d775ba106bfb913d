"""Runs the initializer in this process against servers of the test's own on port 0."""
import contextlib
import http.server
import io
import pathlib
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "share/trainshed/initializer"))
import initialize  # noqa: E402
from web import Web  # noqa: E402

NO_PAUSES = (0, 0, 0)


class Server:
    """Answers a GET by `answer(path, headers)` -> (status, headers, body); keeps what was asked."""

    def __init__(self, answer):
        self.asked = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked.append((self.path, self.headers))
                status, headers, body = answer(self.path, self.headers)
                self.send_response(status)
                headers.setdefault("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.http.server_port
        self.url = f"http://{self.address}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def paths(self):
        return [path for path, _ in self.asked]


class InitializerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.root = self.folder / "workspace"

    def serve(self, answer):
        server = Server(answer)
        self.addCleanup(server.stop)
        return server

    def run_it(self, kind, uri, **environ):
        """The exit code and what was said on stderr."""
        if uri is not None:
            environ["STORAGE_URI"] = uri
        environ.setdefault("HF_HOME", str(self.folder / "cache"))
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = initialize.main(kind, environ, str(self.root), Web(NO_PAUSES))
        return code, said.getvalue().strip()

    def succeeds(self, kind, uri, **environ):
        code, said = self.run_it(kind, uri, **environ)
        self.assertEqual(code, 0, said)
        return self.files(kind)

    def fails(self, kind, uri, *words, **environ):
        code, said = self.run_it(kind, uri, **environ)
        self.assertEqual(code, 1, said)
        last = said.splitlines()[-1]
        self.assertTrue(last.startswith(f"initializer: {uri or kind}: "), said)
        for word in (*words, "; "):
            self.assertIn(word, last)

    def files(self, kind):
        top = self.root / kind
        return {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*") if p.is_file()}
