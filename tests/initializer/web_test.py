"""The way out of a pod: retries, whole files, the proxy and what to say when there is no way."""
import os
import unittest
import unittest.mock

from fixture import InitializerTest

LIST = (b"<ListBucketResult><Contents><Key>x</Key></Contents><IsTruncated>false</IsTruncated>"
        b"</ListBucketResult>")


class Web(InitializerTest):
    def bucket(self, *answers):
        """An S3 server with the object x, whose GETs are answered so in turn."""
        left = list(answers)
        return self.serve(lambda path, headers: left.pop(0) if path == "/b/x" else (200, {}, LIST))

    def test_what_passes_is_tried_again(self):
        server = self.bucket((503, {}, b"slow down"), (429, {}, b""), (200, {}, b"1"))
        self.assertEqual(self.succeeds("dataset", "s3://b/x", ENDPOINT=server.url), {"x": b"1"})

    def test_a_cut_download_is_tried_again_and_never_left(self):
        cut = (200, {"Content-Length": "9"}, b"1234")
        server = self.bucket(cut, (200, {}, b"123456789"))
        files = self.succeeds("dataset", "s3://b/x", ENDPOINT=server.url)
        self.assertEqual(files, {"x": b"123456789"})
        server = self.bucket(cut, cut, cut, cut)
        self.fails("model", "s3://b/x", "broke off 4 times: x ended after 4 of 9 bytes",
                   ENDPOINT=server.url)
        self.assertEqual(self.files("model"), {})

    def test_what_does_not_pass_is_not(self):
        server = self.bucket((403, {}, b""))
        self.fails("dataset", "s3://b/x", "403", ENDPOINT=server.url)
        self.assertEqual(server.paths().count("/b/x"), 1)

    def test_localhost_is_the_pod_itself(self):
        self.fails("dataset", "s3://b/x", "127.0.0.1:1 cannot be reached from this pod",
                   "services of this machine are at host.trainshed.internal",
                   ENDPOINT="http://127.0.0.1:1")

    def test_nonsense_for_an_endpoint(self):
        self.fails("dataset", "s3://b/x", "is no URL", "look at the endpoint",
                   ENDPOINT="http://a:b")


class ProxyTest(InitializerTest):
    """A name that nobody here knows has no route, so that it goes by the proxy."""

    def through(self, answer):
        proxy = self.serve(answer)
        variables = {"http_proxy": proxy.url, "no_proxy": ""}
        patched = unittest.mock.patch.dict(os.environ, variables)
        patched.start()
        self.addCleanup(patched.stop)
        return proxy

    def test_names_of_the_internet_go_by_the_proxy_and_pods_do_not(self):
        proxy = self.through(lambda path, headers: (200, {}, b"1" if path.endswith("/x") else LIST))
        files = self.succeeds("dataset", "s3://b/x", ENDPOINT="http://s3.invalid:81")
        self.assertEqual(files, {"x": b"1"})
        self.assertEqual(proxy.paths()[1], "http://s3.invalid:81/b/x")
        here = self.serve(lambda path, headers: (200, {}, b"2" if path.endswith("/x") else LIST))
        self.assertEqual(self.succeeds("model", "s3://b/x", ENDPOINT=here.url), {"x": b"2"})
        self.assertEqual(len(proxy.asked), 2)

    def test_the_gateway_finding_nobody_is_no_way_out(self):
        proxy = self.through(lambda path, headers: (502, {}, b""))
        self.fails("dataset", "s3://b/x", "s3.invalid cannot be reached from this pod",
                   "(HTTP Error 502", "http://host.trainshed.internal:3128",
                   ENDPOINT="http://s3.invalid")
        self.assertEqual(len(proxy.asked), 1)


if __name__ == "__main__":
    unittest.main()
