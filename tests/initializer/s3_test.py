"""s3://: lists by pages, keys below a prefix, AWS's own example signatures, errors with a cause."""
import datetime
import unittest
import urllib.parse

from fixture import InitializerTest
import s3

# From AWS's "Examples of the complete Signature Version 4 signing process".
ACCOUNT = {"key": "AKIAIOSFODNN7EXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
           "token": "", "region": "us-east-1"}
MOMENT = datetime.datetime(2013, 5, 24, tzinfo=datetime.timezone.utc)
KEYS = {"ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "secret"}


class Signatures(unittest.TestCase):
    def signature(self, path, headers):
        url = "https://examplebucket.s3.amazonaws.com" + path
        authorization = s3.signed(url, headers, ACCOUNT, MOMENT)["Authorization"]
        return authorization.partition(" ")[2].split(",")

    def test_an_object(self):
        credential, names, signature = self.signature("/test.txt", {"Range": "bytes=0-9"})
        self.assertEqual(credential,
                         "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request")
        self.assertEqual(names, "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date")
        self.assertEqual(
            signature, "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")

    def test_a_list(self):
        self.assertEqual(
            self.signature("/?max-keys=2&prefix=J", {})[2],
            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")

    def test_a_session_token_is_signed_too(self):
        headers = s3.signed("https://x/", {}, {**ACCOUNT, "token": "t"}, MOMENT)
        self.assertEqual(headers["x-amz-security-token"], "t")
        self.assertIn("x-amz-security-token", headers["Authorization"])


def page(keys, token=""):
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    items = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return (f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{items}'
            f"{more if token else '<IsTruncated>false</IsTruncated>'}</ListBucketResult>").encode()


def storage(objects, page_size=2):
    """An S3 server with one bucket, "b"."""
    def answer(path, headers):
        address = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        bucket, _, key = urllib.parse.unquote(address.path)[1:].partition("/")
        if bucket != "b":
            return 404, {}, b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>"
        if key:
            return 200, {}, objects[key]
        start = int(query.get("continuation-token", "0"))
        keys = sorted(k for k in objects if k.startswith(query["prefix"]))
        after = start + page_size
        return 200, {}, page(keys[start:after], str(after) if after < len(keys) else "")
    return answer


def refusing(status, body=b"", **headers):
    return lambda path, asked: (status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


class Downloads(InitializerTest):
    def test_all_pages_below_the_prefix_land_in_the_workspace(self):
        objects = {f"data/part {n}/x+{n}.csv": b"%d" % n for n in range(5)}
        server = self.serve(storage({**objects, "data/": b"", "other": b"no"}))
        files = self.succeeds("dataset", "s3://b/data", ENDPOINT=server.url, **KEYS)
        self.assertEqual(files, {k[5:]: v for k, v in objects.items()})
        lists = [path for path in server.paths() if "list-type=2" in path]
        self.assertEqual(len(lists), 3, lists)
        for _, headers in server.asked:
            self.assertIn("Credential=any/", headers["Authorization"])
            self.assertIn("/auto/s3/", headers["Authorization"])

    def test_a_model_goes_to_its_own_place(self):
        server = self.serve(storage({"m/w.safetensors": b"w", "m/w.bin": b"x"}))
        files = self.succeeds("model", "s3://b/m/", ENDPOINT=server.url, IGNORE_PATTERNS=" *.bin, ")
        self.assertEqual(files, {"w.safetensors": b"w"})
        self.assertFalse((self.root / "dataset").exists())

    def test_a_prefix_is_no_directory(self):
        server = self.serve(storage({"a/train.csv": b"1", "a/train-2/x": b"2"}))
        # As upstream: what begins with the prefix is taken, and what follows it is the name.
        files = self.succeeds("dataset", "s3://b/a/train", ENDPOINT=server.url)
        self.assertEqual(files, {".csv": b"1", "-2/x": b"2"})
        files = self.succeeds("model", "s3://b/a/train.csv", ENDPOINT=server.url)
        self.assertEqual(files, {"train.csv": b"1"})

    def test_patterns_are_of_whole_keys(self):
        server = self.serve(storage({"a/x.log": b"1", "a/y": b"2", "a/z": b"3"}))
        files = self.succeeds("dataset", "s3://b/a",
                              ENDPOINT=server.url, IGNORE_PATTERNS="*.log,a/y,z")
        self.assertEqual(files, {"z": b"3"})

    def test_without_keys_nothing_is_signed(self):
        server = self.serve(storage({"x": b"1"}))
        self.assertEqual(self.succeeds("dataset", "s3://b", ENDPOINT=server.url), {"x": b"1"})
        self.assertTrue(all("Authorization" not in headers for _, headers in server.asked))

    def test_aws_variables_stand_in(self):
        server = self.serve(storage({"x": b"1"}))
        self.succeeds("dataset", "s3://b/x", AWS_ENDPOINT_URL=server.url, AWS_REGION="r1",
                      AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="s", AWS_SESSION_TOKEN="t")
        self.assertIn("Credential=a/", server.asked[0][1]["Authorization"])
        self.assertIn("/r1/s3/", server.asked[0][1]["Authorization"])
        self.assertEqual(server.asked[0][1]["x-amz-security-token"], "t")

    def test_nothing_below_the_prefix_is_no_failure(self):
        server = self.serve(storage({"x": b"1"}))
        code, said = self.run_it("dataset", "s3://b/none", ENDPOINT=server.url)
        self.assertEqual((code, self.files("dataset")), (0, {}), said)

    def test_a_key_cannot_leave_the_workspace(self):
        server = self.serve(storage({"a/../../../x": b"1"}))
        self.fails("dataset", "s3://b/a/", '"../../../x" is no name', ENDPOINT=server.url)
        self.assertEqual(list(self.folder.rglob("x")), [])


class Failures(InitializerTest):
    def test_a_missing_bucket(self):
        server = self.serve(storage({}))
        self.fails("dataset", "s3://c/x", f'there is no bucket "c" at {server.url}',
                   ENDPOINT=server.url)
        self.fails("dataset", "s3:///x", "it names no bucket")

    def test_wrong_or_missing_keys(self):
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        server = self.serve(refusing(403, body))
        self.fails("dataset", "s3://b/x", "AccessDenied: Access Denied", "none are set",
                   ENDPOINT=server.url)
        self.fails("dataset", "s3://b/x", "look at ACCESS_KEY_ID", ENDPOINT=server.url, **KEYS)
        self.fails("model", "s3://b/x", "only one of", ACCESS_KEY_ID="a")

    def test_another_region(self):
        server = self.serve(refusing(301, x_amz_bucket_region="eu-west-3"))
        self.fails("dataset", "s3://b/x", "set REGION to eu-west-3", ENDPOINT=server.url)

    def test_roles_are_refused(self):
        self.fails("dataset", "s3://b/x", "ROLE_ARN is not supported", ROLE_ARN="arn:1:role/r")

    def test_something_else_answers(self):
        server = self.serve(refusing(200, b"hello"))
        self.fails("dataset", "s3://b/x", "does not answer as S3 does", ENDPOINT=server.url)


if __name__ == "__main__":
    unittest.main()
