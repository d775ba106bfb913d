"""Who gets an answer from the API server: nobody from elsewhere, without a token, or from a page in a browser."""

import base64
import json
import pathlib
import re
import socket
import ssl
import subprocess

import pytest
from shed import find_kubectl

SECRET = "tell-nobody-5b1f0c"
# Each is served to whoever has a token; the control for what others get.
PATHS = [
    "/api", "/apis", "/api/v1", "/api/v1/namespaces/default/secrets", "/openapi/v2", "/openapi/v3",
    "/apis/metrics.k8s.io/v1beta1/nodes", "/trainshed/v1/namespaces/default/attempts",
    "/api/v1/namespaces/default/pods?watch=1&timeoutSeconds=1", "/apis/trainer.kubeflow.org/v1alpha1/trainjobs",
]
# Not served, or only to a WebSocket; what they are is nobody's business either.
CLOSED = ["/", "/metrics", "/debug/pprof/", "/logs", "/nothing/here", "/api/v1/namespaces/default/pods/x/log",
          "/api/v1/namespaces/default/pods/x/exec?command=id", "/api/v1/namespaces/default/pods/x/portforward"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
UPGRADE = {"Connection": "close, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "v5.channel.k8s.io"}


class Server:
    """A cluster's API server as a stranger on the wire sees it."""

    def __init__(self, cluster):
        text = pathlib.Path(cluster.kubeconfig).read_text()
        self.port = int(re.search(r"server: https://127\.0\.0\.1:(\d+)", text)[1])
        self.token = re.search(r"token: (\S+)", text)[1]
        self.ca = base64.b64decode(re.search(r"certificate-authority-data: (\S+)", text)[1]).decode()
        self.own = f"127.0.0.1:{self.port}"

    def context(self, ca=None):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.load_verify_locations(cadata=ca or self.ca)
        return made

    def connect(self, context=None, name="127.0.0.1"):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        try:
            return (context or self.context()).wrap_socket(raw, server_hostname=name)
        except OSError:
            raw.close()
            raise

    def send(self, text):
        """The whole answer to these bytes; whoever asks has `Connection: close` among them, or is refused."""
        with self.connect() as stream:
            stream.sendall(text.encode())
            answer = b""
            while more := stream.recv(65536):
                answer += more
        return answer.decode(errors="replace")

    def ask(self, method, path, body="", authorization=None, **headers):
        """(status, head, body) of one request. `authorization` None is a good token, "" is none."""
        fields = {"Host": self.own, "Connection": "close", "Content-Length": str(len(body)),
                  "Authorization": f"Bearer {self.token}" if authorization is None else authorization}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        answer = self.send("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", body]))
        head, _, rest = answer.partition("\r\n\r\n")
        assert "access-control-" not in head.lower(), head
        return int(head.split()[1]), head, rest


@pytest.fixture(scope="module")
def server(cluster):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "guarded"}, "stringData": {"key": SECRET}}
    subprocess.run([find_kubectl(), "--kubeconfig", cluster.kubeconfig, "create", "-f", "-"], check=True, text=True,
                   input=json.dumps(secret), stdout=subprocess.DEVNULL)
    yield Server(cluster)
    cluster.kubectl("delete", "secret", "guarded")


pytestmark = pytest.mark.kubectl


def test_only_the_loopback_address_listens(cluster, server):
    """The process has sockets in the pods' network, too; of this machine's own it has one."""
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                listening[f"socket:[{words[9]}]"] = words[1]
    links = pathlib.Path(f"/proc/{cluster.pid()}/fd").iterdir()
    held = [listening[name] for name in (str(link.readlink()) for link in links) if name in listening]
    assert held == [f"0100007F:{server.port:04X}"]


@pytest.mark.parametrize("path", PATHS + CLOSED)
def test_every_path_needs_the_token(server, path):
    basic = base64.b64encode(f"kubernetes-admin:{server.token}".encode()).decode()
    attempts = ["", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {server.token[:-1]}", f"Bearer {server.token}x",
                f"Token {server.token}", f"Basic {basic}", server.token]
    for authorization in attempts:
        status, _, body = server.ask("GET", path, authorization=authorization)
        assert (status, SECRET in body) == (401, False), (authorization, body)
    query = "&".join(f"{name}={server.token}" for name in ("access_token", "token", "authorization", "bearer"))
    status, _, body = server.ask("GET", path + ("&" if "?" in path else "?") + query, authorization="")
    assert status == 401, body
    status, _, _ = server.ask("GET", path, "", authorization="", Cookie=f"token={server.token}", **UPGRADE)
    assert status == 401
    if path in PATHS:
        assert server.ask("GET", path)[0] == 200


@pytest.mark.parametrize("method", METHODS)
def test_no_method_goes_without_a_token(server, method):
    assert server.ask(method, "/api/v1/namespaces/default/secrets", authorization="")[0] == 401


def test_what_is_public_says_nothing_of_the_cluster(server):
    for path in ("/healthz", "/livez?verbose", "/readyz", "/version"):
        status, _, body = server.ask("GET", path, authorization="")
        assert status == 200
        assert server.token not in body and len(body) < 1000


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "[::2]", "169.254.169.254",
                                  "0.0.0.0", "127.0.0.1@evil.test", "kubernetes.evil.test", "user:127.0.0.1"])
def test_another_host_is_refused_with_every_method(server, host):
    for method in METHODS:
        for name in (host, f"{host}:{server.port}"):
            assert server.ask(method, "/api/v1/namespaces/default/secrets", Host=name)[0] == 403, (method, name)
    assert server.ask("GET", "/healthz", Host=host)[0] == 403


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1.evil.test", "file://", "evil.test",
                                    "https://localhost.evil.test:443", "chrome-extension://abcdef"])
def test_another_origin_is_refused_with_every_method(server, origin):
    for method in METHODS:
        wanted = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
        status, _, body = server.ask(method, "/api/v1/namespaces/default/secrets", Origin=origin, **wanted)
        assert (status, SECRET in body) == (403, False), (method, body)
    path = "/api/v1/namespaces/default/pods/x/exec?command=id&stdout=1"
    assert server.ask("GET", path, Origin=origin, **UPGRADE)[0] == 403
    # The control: with our own origin there is only no such pod.
    assert server.ask("GET", path, Origin=f"https://{server.own}", **UPGRADE)[0] == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_is_no_object(cluster, server, kind):
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "forged"}})
    status, _, text = server.ask("POST", "/api/v1/namespaces/default/configmaps", body, Content_Type=kind)
    assert status == 415, text
    assert cluster.kubectl("get", "configmap", "forged", check=False).returncode == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(server, version):
    context = server.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    with pytest.raises(ssl.SSLError) as refused:
        server.connect(context)
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"  # the server's words, not our library's


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_new_tls_is_spoken(server, version):
    context = server.context()
    context.minimum_version = context.maximum_version = version
    server.connect(context).close()


def test_another_certificate_authority_or_name_does_not_fit(fresh_cluster, server):
    other = Server(fresh_cluster("--store", "memory"))
    with pytest.raises(ssl.SSLCertVerificationError):
        server.connect(server.context(other.ca))
    with pytest.raises(ssl.SSLCertVerificationError):
        server.connect(name="evil.test")
    assert server.ask("GET", "/api", authorization=f"Bearer {other.token}")[0] == 401
    assert other.token != server.token


DOUBTFUL = {
    "length and coding": "POST {path} HTTP/1.1\r\n{good}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "POST {path} HTTP/1.1\r\n{good}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
    "an unknown coding": "POST {path} HTTP/1.1\r\n{good}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding twice": "POST {path} HTTP/1.1\r\n{good}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
                      "0\r\n\r\n",
    "a folded line": "GET {path} HTTP/1.1\r\n{good}X-A: b\r\n c: d\r\n\r\n",
    "bare line feeds": "GET {path} HTTP/1.1\nHost: {own}\nConnection: close\n\n",
    "a space before the colon": "GET {path} HTTP/1.1\r\n{good}X-A : b\r\n\r\n",
    "two hosts": "GET {path} HTTP/1.1\r\n{good}Host: {own}\r\n\r\n",
    "no host": "GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n",
    "an absolute target": "GET https://{own}{path} HTTP/1.1\r\n{good}\r\n",
    "an authority": "CONNECT {own} HTTP/1.1\r\n{good}\r\n",
    "encoded dots": "GET /healthz/%2e%2e{path} HTTP/1.1\r\n{good}\r\n",
    "dots": "GET /healthz/..{path} HTTP/1.1\r\n{good}\r\n",
    "a dot": "GET /.{path} HTTP/1.1\r\n{good}\r\n",
    "an encoded slash": "GET /healthz%2f..{path} HTTP/1.1\r\n{good}\r\n",
    "two slashes": "GET //{path} HTTP/1.1\r\n{good}\r\n",
    "a null": "GET /healthz%00{path} HTTP/1.1\r\n{good}\r\n",
}


@pytest.mark.parametrize("authorized", [False, True])
@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_others_may_read_differently_is_refused(server, case, authorized):
    """One reading of every request, before anyone asks who it is from: 400, never another path's answer."""
    good = f"Host: {server.own}\r\nConnection: close\r\n"
    good += f"Authorization: Bearer {server.token}\r\n" if authorized else ""
    text = DOUBTFUL[case].format(path="/api/v1/namespaces/default/secrets", good=good, own=server.own)
    answer = server.send(text)
    assert answer.startswith("HTTP/1.1 400 "), answer
    assert answer.count("HTTP/1.1 ") == 1, answer
    assert SECRET not in answer
