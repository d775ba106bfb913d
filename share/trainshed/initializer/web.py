"""HTTP out of a pod: directly where there is a route, else by the proxy; retries."""
import functools
import http.client
import logging
import os
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

from workspace import Failure, Interrupted

TIMEOUT_SECONDS = 30
PAUSES = (1, 2, 4)  # seconds before each further try, as upstream's RetryLayer has them
TRY_AGAIN = {429, 500, 502, 503, 504}
ERROR_BYTES_MAX = 1 << 16
POD_CERTIFICATES = "/etc/ssl/trainshed/pip.pem"  # what this machine trusts beyond its /etc/ssl
HOST = "host.trainshed.internal"


class Refused(Exception):
    """The server's answer is an error: only who asked knows what it means."""

    def __init__(self, error):
        super().__init__(f"{error.code} {error.reason}")
        self.status = error.code
        self.headers = error.headers
        self.body = error.read(ERROR_BYTES_MAX)


class Unreachable(Failure):
    pass


@functools.lru_cache(maxsize=None)
def has_route(host):
    """Pods know each other and this machine, by name and address, and nothing of the Internet."""
    try:
        found = socket.getaddrinfo(host, 80, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            try:
                probe.connect(address)  # UDP: sends nothing, but needs a route
                return True
            except OSError:
                continue
    return False


class Proxy(urllib.request.ProxyHandler):
    def proxy_open(self, req, proxy, type):  # noqa: A002, the base class's name
        if has_route(urllib.parse.urlsplit(req.full_url).hostname):
            return None
        return super().proxy_open(req, proxy, type)


class Redirect(urllib.request.HTTPRedirectHandler):
    """Credentials go to the server they are for, not to the storage it leads to."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        onward = super().redirect_request(req, fp, code, msg, headers, newurl)
        same = urllib.parse.urlsplit(newurl)[:2] == urllib.parse.urlsplit(req.full_url)[:2]
        credentials = req.unredirected_hdrs.get("Authorization")
        if onward and same and credentials:
            onward.add_unredirected_header("Authorization", credentials)
        return onward


def next_step(host, reason):
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "pods trust what /etc/ssl/certs of this machine does: add its certificate there"
    if host in ("localhost", "::1") or host.startswith("127."):
        return f"in a pod that is the pod itself: services of this machine are at {HOST}"
    if host == HOST:
        return "start the service on this machine, or correct the port"
    return f"pods reach the Internet as this machine does, by http://{HOST}:3128: can it reach it?"


def unreachable(url, reason):
    address = urllib.parse.urlsplit(url)
    return Unreachable(f"{address.netloc} cannot be reached from this pod ({reason})",
                       next_step(address.hostname or "", reason))


class Web:
    def __init__(self, pauses=PAUSES):
        self.pauses = pauses
        context = ssl.create_default_context()
        if os.path.exists(POD_CERTIFICATES):
            context.load_verify_locations(POD_CERTIFICATES)
        self.opener = urllib.request.build_opener(
            Proxy(), Redirect(), urllib.request.HTTPSHandler(context=context))

    def get(self, url, headers, consume):
        """What `consume` makes of the answer. Raises Refused, Unreachable and what it raises."""
        for pause in (*self.pauses, None):
            try:
                with self._open(url, headers) as response:
                    return consume(response)
            except Interrupted as error:
                if pause is None:
                    server = urllib.parse.urlsplit(url).netloc
                    raise Failure(f"{server} broke off {1 + len(self.pauses)} times: {error}",
                                  "try again later") from error
                logging.warning("%s: once more in %d s", error, pause)
                time.sleep(pause)

    def _open(self, url, headers):
        request = urllib.request.Request(url)
        for name, value in headers.items():
            request.add_unredirected_header(name, value)
        try:
            return self.opener.open(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            # The gateway's own: it found nobody there.
            if error.code == 502 and not has_route(urllib.parse.urlsplit(error.url).hostname):
                raise unreachable(error.url, error) from error
            if error.code in TRY_AGAIN:
                raise Interrupted(str(error)) from error
            raise Refused(error) from error
        except urllib.error.URLError as error:
            raise unreachable(url, error.reason) from error
        except (http.client.InvalidURL, ValueError) as error:
            raise Failure(f"{url} is no URL ({error})", "look at the endpoint") from error
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(str(error) or type(error).__name__) from error
