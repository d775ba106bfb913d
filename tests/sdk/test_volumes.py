"""Volumes and tokens as on a real node, by kubectl: what follows its objects, what is refused, what is evicted."""

import base64
import json
import uuid

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from shed import readable, wait_until

pytestmark = pytest.mark.kubectl


def pod(name, volumes=(), mounts=(), script="sleep 1000", **spec):
    """A pod of one container, as the API wants it."""
    container = {"name": "c", "image": "busybox", "command": ["sh", "-c", script], "volumeMounts": list(mounts)}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"colour": "red"}},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container],
                 "volumes": list(volumes), **spec},
    }


class Objects:
    """Applies objects of the test's own, and deletes them afterwards."""

    def __init__(self, cluster):
        self.cluster, self.made = cluster, []

    def name(self):
        return "v" + uuid.uuid4().hex[:8]

    def apply(self, manifest):
        self.made.append((manifest["kind"], manifest["metadata"]["name"]))
        return self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def run(self, *arguments, phase="Running", **more):
        name = self.name()
        self.apply(pod(name, *arguments, **more))
        wait_until(lambda: self.phase(name) in (phase, "Failed", "Succeeded"), 30, name)
        assert self.phase(name) == phase, self.cluster.kubectl("describe", "pod", name).stdout
        return name

    def phase(self, name):
        return self.cluster.get("pod", name)["status"]["phase"]

    def read(self, name, path):
        return self.cluster.kubectl("exec", name, "--", "cat", path).stdout

    def events(self, name):
        return self.cluster.events_of(name)

    def config_map(self, data, name=None, **more):
        name = name or self.name()
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data, **more})
        return name


@pytest.fixture
def objects(cluster):
    made = Objects(cluster)
    yield made
    for kind, name in reversed(made.made):
        cluster.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims_of(token):
    return json.loads(decoded(token.split(".")[1]))


def verify(token, jwk):
    """Raises unless the key signed the token: by another implementation than ours."""
    header, claims, signature = token.split(".")
    x, y, r, s = (int.from_bytes(part, "big") for part in (
        decoded(jwk["x"]), decoded(jwk["y"]), decoded(signature)[:32], decoded(signature)[32:]))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    signed = f"{header}.{claims}".encode()
    key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


def test_volumes_follow_config_maps_secrets_and_labels(cluster, objects):
    name = objects.config_map({"k": "one", "gone": "x"})
    late = objects.name()
    sources = [
        {"configMap": {"name": name}},
        {"configMap": {"name": late, "optional": True}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    mounts = [{"name": "v", "mountPath": "/v"}, {"name": "m", "mountPath": "/sub", "subPath": "k"}]
    running = objects.run(
        [{"name": "v", "projected": {"sources": sources}}, {"name": "m", "configMap": {"name": name}}], mounts)
    assert objects.read(running, "/v/k") == objects.read(running, "/sub") == "one"
    objects.config_map({"k": "two", "new": "y"}, name=name)
    wait_until(lambda: objects.read(running, "/v/k") == "two", 20, "the new value")
    listing = cluster.kubectl("exec", running, "--", "ls", "/v").stdout.split()
    assert listing == ["k", "labels", "new"]
    assert objects.read(running, "/sub") == "one", "a subPath shows what was there when the container started"
    objects.config_map({"late": "here"}, name=late)
    cluster.kubectl("label", "pod", running, "colour=blue", "--overwrite")
    wait_until(lambda: "late" in cluster.kubectl("exec", running, "--", "ls", "/v").stdout, 20, "the optional one")
    wait_until(lambda: 'colour="blue"' in objects.read(running, "/v/labels"), 20, "the label")


def test_what_is_immutable_stays(cluster, objects):
    name = objects.config_map({"k": "one"}, immutable=True)
    other = objects.config_map({"k": "one"})
    volumes = [{"name": "v", "configMap": {"name": name}}, {"name": "w", "configMap": {"name": other}}]
    mounts = [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w"}]
    running = objects.run(volumes, mounts)
    cluster.kubectl("delete", "configmap", name)
    objects.config_map({"k": "two"}, name=name)
    objects.config_map({"k": "two"}, name=other)
    wait_until(lambda: objects.read(running, "/w/k") == "two", 20, "the other one")
    assert objects.read(running, "/v/k") == "one"


def test_modes_are_exactly_those_asked_for(cluster, objects):
    name = objects.config_map({"a": "1", "b": "2"})
    items = [{"key": "a", "path": "deep/a", "mode": 0o440}, {"key": "b", "path": "b"}]
    script = "stat -L -c '%a %n' /v/deep/a /v/b"
    done = objects.run([{"name": "v", "configMap": {"name": name, "defaultMode": 0o400, "items": items}}],
                       [{"name": "v", "mountPath": "/v"}], script=script, phase="Succeeded")
    modes = cluster.kubectl("logs", done).stdout.splitlines()
    single = "one id" in cluster.run("status", "--name", cluster.name).stdout
    assert modes == (["400 /v/deep/a", "400 /v/b"] if single else ["440 /v/deep/a", "400 /v/b"])


def test_keys_and_sub_paths_that_lead_out_are_refused(cluster, objects):
    refused = cluster.kubectl("create", "configmap", "bad", "--from-literal=../../a=1", check=False)
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bad"}, "stringData": {"../../a": "x"}}
    secret = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest), check=False)
    assert refused.returncode != 0 and secret.returncode != 0
    assert "a valid config key must consist of alphanumeric characters" in secret.stderr
    for path in ("../x", "/etc"):
        bad = pod("bad", [{"name": "v", "emptyDir": {}}], [{"name": "v", "mountPath": "/v", "subPath": path}])
        done = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(bad), check=False)
        assert done.returncode != 0 and "subPath: Invalid value" in done.stderr, done.stderr


def test_a_link_out_of_the_volume_is_no_sub_path(cluster, objects):
    name = objects.name()
    bad = pod(name, [{"name": "v", "emptyDir": {}}], [{"name": "v", "mountPath": "/v", "subPath": "out/passwd"}])
    bad["spec"]["initContainers"] = [{
        "name": "i", "image": "busybox", "command": ["ln", "-s", "/etc", "/v/out"],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]
    objects.apply(bad)
    wait_until(lambda: any("failed to prepare subPath" in event for event in objects.events(name)), 30, "the event")
    waiting = cluster.get("pod", name)["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"


def test_host_paths_are_what_was_allowed(fresh_cluster, tmp_path):
    shared = readable(tmp_path)
    (shared / "in").mkdir()
    (shared / "in/data").write_text("words\n")
    (shared / "out").mkdir(mode=0o777)
    (shared / "out").chmod(0o777)
    (shared / "in/link").symlink_to("/etc")
    cluster = fresh_cluster("--allow-host-path", f"{shared}/in", "--allow-host-path", f"{shared}/out:rw")
    objects = Objects(cluster)

    def host(name, path, kind=""):
        return {"name": name, "hostPath": {"path": str(path), "type": kind}}

    mounts = [{"name": "i", "mountPath": "/i"}, {"name": "o", "mountPath": "/o"}, {"name": "f", "mountPath": "/f"}]
    script = "cat /i/data /f; touch /i/x 2>/dev/null || echo refused"
    done = objects.run(
        [host("i", shared / "in", "Directory"), host("o", shared / "out/new", "DirectoryOrCreate"),
         host("f", shared / "in/data", "File")], mounts, script=script, phase="Succeeded")
    assert cluster.kubectl("logs", done).stdout.splitlines() == ["words", "words", "refused"]
    assert (shared / "out/new").is_dir()
    writer = objects.run([host("o", shared / "out")], [{"name": "o", "mountPath": "/o"}],
                         script="echo result > /o/r", phase="Succeeded")
    assert (shared / "out/r").read_text() == "result\n", writer
    for path, kind, why in [
        ("/etc", "", "--allow-host-path /etc"),
        (f"{shared}/in/link", "", "leads out of"),
        (f"{shared}/in/data", "Directory", "hostPath type check failed"),
    ]:
        name = objects.name()
        objects.apply(pod(name, [host("v", path, kind)], [{"name": "v", "mountPath": "/v"}]))
        wait_until(lambda: any(why in event for event in objects.events(name)), 20, why)
        assert objects.phase(name) == "Pending"


def test_memory_is_limited_and_a_large_volume_evicts(cluster, objects):
    memory = {"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    script = "head -c 2000000 /dev/zero > /v/f; grep -c ' /v tmpfs ' /proc/mounts; stat -c %s /v/f"
    done = objects.run([memory], [{"name": "v", "mountPath": "/v"}], script=script, phase="Succeeded")
    assert cluster.kubectl("logs", done).stdout.splitlines()[-2:] == ["1", "1048576"]
    disk = {"name": "x", "emptyDir": {"sizeLimit": "1Mi"}}
    name = objects.run([disk], [{"name": "x", "mountPath": "/x"}],
                       script="head -c 2000000 /dev/zero > /x/f; sleep 1000")
    wait_until(lambda: objects.phase(name) == "Failed", 30, "the eviction")
    status = cluster.get("pod", name)["status"]
    assert status["reason"] == "Evicted"
    assert status["message"] == 'Usage of EmptyDir volume "x" exceeds the limit "1Mi". '
    assert any(event.startswith("Evicted: ") for event in objects.events(name))


def test_a_pods_token_names_it_and_ends_with_it(cluster, objects):
    name = objects.run()
    token = objects.read(name, "/var/run/secrets/kubernetes.io/serviceaccount/token")
    claims = claims_of(token)
    uid = cluster.get("pod", name)["metadata"]["uid"]
    assert claims["sub"] == "system:serviceaccount:default:default"
    assert claims["kubernetes.io"]["pod"] == {"name": name, "uid": uid}
    assert claims["kubernetes.io"]["node"]["name"].startswith("node-")
    who = cluster.kubectl("--token", token, "auth", "whoami", "-o", "json")
    assert json.loads(who.stdout)["status"]["userInfo"]["username"] == claims["sub"]
    cluster.kubectl("delete", "pod", name)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = cluster.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)).stdout
    assert json.loads(answer)["status"]["error"] == (
        "[invalid bearer token, service account token has been invalidated]")


def test_kubectl_makes_tokens_of_any_audience_and_length(cluster, objects):
    words = ["create", "token", "default"]
    claims = claims_of(cluster.kubectl(*words, "--audience", "vault", "--duration", "20m").stdout)
    assert claims["aud"] == ["vault"] and claims["exp"] - claims["iat"] == 1200
    short = cluster.kubectl(*words, "--duration", "5m", check=False)
    assert "may not specify a duration less than 10 minutes" in short.stderr
    foreign = cluster.kubectl(*words, "--audience", "vault").stdout
    refused = cluster.kubectl("--token", foreign, "get", "pods", check=False)
    assert refused.returncode != 0 and "Unauthorized" in refused.stderr + refused.stdout


def test_tokens_can_be_verified_by_the_served_key(cluster):
    (key,) = json.loads(cluster.kubectl("get", "--raw", "/openid/v1/jwks").stdout)["keys"]
    token = cluster.kubectl("create", "token", "default").stdout.strip()
    verify(token, key)
    header, claims, signature = token.split(".")
    with pytest.raises(InvalidSignature):
        verify(".".join([header, claims[:-1] + ("A" if claims[-1] != "A" else "B"), signature]), key)


def test_a_pods_token_is_renewed(fresh_cluster):
    objects = Objects(fresh_cluster("--time-scale", "60"))
    volume = {"name": "t", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}]}}
    name = objects.run([volume], [{"name": "t", "mountPath": "/t"}])
    first = objects.read(name, "/t/token")
    wait_until(lambda: objects.read(name, "/t/token") != first, 30, "another token after 480 s, of which 60 are one")
