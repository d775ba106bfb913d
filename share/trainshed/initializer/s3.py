"""s3://BUCKET/PREFIX: every object whose key begins with PREFIX, from S3 or what speaks like it.

Signatures are AWS Signature Version 4, lists are ListObjectsV2; buckets are named in the path.
"""
import datetime
import hashlib
import hmac
import logging
import urllib.parse
import xml.etree.ElementTree

from web import Refused
from workspace import Failure, matches

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def quoted(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def signed(url, headers, account, moment):
    """`headers` of a GET with those that sign it. `account`: key, secret, token and region."""
    address = urllib.parse.urlsplit(url)
    date, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    headers = {**headers, "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": date}
    if account["token"]:
        headers["x-amz-security-token"] = account["token"]
    lower = {"host": address.netloc, **{name.lower(): value for name, value in headers.items()}}
    names = ";".join(sorted(lower))
    lines = "".join(f"{name}:{lower[name].strip()}\n" for name in sorted(lower))
    request = "\n".join(
        ["GET", address.path or "/", address.query, lines, names, EMPTY_SHA256])
    scope = f"{day}/{account['region']}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = ("AWS4" + account["secret"]).encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={account['key']}/{scope},"
                                f"SignedHeaders={names},Signature={signature}")
    return headers


def first(environ, *names):
    return next((environ[name] for name in names if environ.get(name)), "")


def account_of(environ):
    """The initializer's own variables, then those that AWS's libraries and OpenDAL read."""
    if environ.get("ROLE_ARN"):
        raise Failure("ROLE_ARN is not supported here: there is no AWS STS to assume a role",
                      "give ACCESS_KEY_ID and SECRET_ACCESS_KEY instead")
    account = {"key": first(environ, "ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
               "secret": first(environ, "SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
               "token": ""}
    if not environ.get("ACCESS_KEY_ID"):
        account["token"] = first(environ, "AWS_SESSION_TOKEN")
    if bool(account["key"]) != bool(account["secret"]):
        raise Failure("only one of ACCESS_KEY_ID and SECRET_ACCESS_KEY is set",
                      "give both, or none for a public bucket")
    endpoint = first(environ, "ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    region = first(environ, "REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
    # "auto" is upstream's. Amazon itself has no such region, and asks for the right one.
    account["region"] = region or ("auto" if endpoint else "us-east-1")
    endpoint = endpoint or f"https://s3.{account['region']}.amazonaws.com"
    account["endpoint"] = (endpoint if "://" in endpoint else f"https://{endpoint}").rstrip("/")
    return account


def explained(refused, bucket, account):
    """A Failure for S3's XML error, or for what answers without one."""
    code = message = ""
    try:
        for item in xml.etree.ElementTree.fromstring(refused.body):
            name = item.tag.rpartition("}")[2]
            code = item.text or "" if name == "Code" else code
            message = item.text or "" if name == "Message" else message
    except xml.etree.ElementTree.ParseError:
        pass
    where = account["endpoint"]
    region = refused.headers.get("x-amz-bucket-region")
    if region and region != account["region"]:
        return Failure(f'bucket "{bucket}" is in another region', f"set REGION to {region}")
    if code == "NoSuchBucket" or (not code and refused.status == 404):
        return Failure(f'there is no bucket "{bucket}" at {where}',
                       "correct the storage URI or ENDPOINT, or make the bucket")
    step = "look at ACCESS_KEY_ID, SECRET_ACCESS_KEY and REGION"
    if refused.status in (401, 403) and not account["key"]:
        step = "give ACCESS_KEY_ID and SECRET_ACCESS_KEY: none are set, so it was asked without"
    elif refused.status not in (400, 401, 403):
        step = "look at the storage URI and ENDPOINT"
    said = ": ".join(filter(None, [code, message])) or str(refused)
    return Failure(f"{where} refuses ({said})", step)


class Bucket:
    def __init__(self, name, environ, web):
        self.name, self.web = name, web
        self.account = account_of(environ)

    def get(self, key, query, consume):
        pairs = sorted((quoted(k), quoted(v)) for k, v in query.items())
        url = f"{self.account['endpoint']}/{quoted(self.name)}/{quoted(key, safe='/')}".rstrip("/")
        if pairs:
            url += "?" + "&".join(f"{k}={v}" for k, v in pairs)
        headers = {}
        if self.account["key"]:
            now = datetime.datetime.now(datetime.timezone.utc)
            headers = signed(url, headers, self.account, now)
        try:
            return self.web.get(url, headers, consume)
        except Refused as refused:
            raise explained(refused, self.name, self.account) from refused

    def keys(self, prefix):
        query = {"list-type": "2", "prefix": prefix}
        while True:
            page = self.get("", query, self._page)
            for item in page.iterfind("{*}Contents/{*}Key"):
                yield item.text or ""
            token = page.findtext("{*}NextContinuationToken")
            if page.findtext("{*}IsTruncated") != "true" or not token:
                return
            query["continuation-token"] = token

    def _page(self, response):
        try:
            return xml.etree.ElementTree.fromstring(response.read())
        except xml.etree.ElementTree.ParseError as error:
            raise Failure(f"{self.account['endpoint']} does not answer as S3 does ({error})",
                          "look at ENDPOINT") from error


def download(uri, environ, web, workspace, ignored):
    address = urllib.parse.urlparse(uri)
    if not address.netloc:
        raise Failure("it names no bucket", "write s3://BUCKET/PREFIX")
    bucket, prefix = Bucket(address.netloc, environ, web), address.path.lstrip("/")
    logging.info("Objects of %s, bucket %s, that begin with \"%s\"",
                 bucket.account["endpoint"], bucket.name, prefix)
    count = 0
    for key in bucket.keys(prefix):
        if key.endswith("/"):
            continue  # stands for a directory
        # Upstream matches whole keys, not what is left after the prefix.
        if matches(key, ignored):
            logging.info("Ignored: %s", key)
            continue
        name = key[len(prefix):].lstrip("/") or key.rpartition("/")[2]
        logging.info("Downloading %s to %s/%s", key, workspace.directory, name)
        bucket.get(key, {}, lambda response: workspace.put(name, response, response.length))
        count += 1
    return count
