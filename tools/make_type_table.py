#!/usr/bin/env python3
"""Makes fakes/types/table.txt from the Go modules that define the Kubernetes API: `make_type_table.py OUT [VERSION]`.

Numbers come from generated.proto, everything else from the tags and markers of types.go; where both say a thing they
must agree. Only facts are kept, no prose. The format is described in fakes/types/README.md. Needs `go` and a Go proxy.
"""
import json
import pathlib
import re
import subprocess
import sys

API, MACHINERY, EXTENSIONS = "k8s.io/api", "k8s.io/apimachinery", "k8s.io/apiextensions-apiserver"
VERSION = "v0.36.3"
META = "meta"

# alias: (module, folder, OpenAPI package)
PACKAGES = {
    META: (MACHINERY, "pkg/apis/meta/v1", "io.k8s.apimachinery.pkg.apis.meta.v1"),
    "core": (API, "core/v1", "io.k8s.api.core.v1"),
    "apiextensions": (EXTENSIONS, "pkg/apis/apiextensions/v1",
                      "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"),
}
for name in ("admissionregistration apps authentication authorization autoscaling batch coordination discovery "
             "events networking node policy rbac scheduling storage").split():
    PACKAGES[name] = (API, f"{name}/v1", f"io.k8s.api.{name}.v1")

# group/version -> package and the kinds that may be sent; "*" is every group version.
ROOTS = {
    "v1": ("core", "Pod Service ConfigMap Secret Node Namespace Event ServiceAccount Endpoints PersistentVolume "
           "PersistentVolumeClaim LimitRange ResourceQuota PodTemplate Binding ReplicationController"),
    "apps/v1": ("apps", "Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision"),
    "batch/v1": ("batch", "Job CronJob"),
    "events.k8s.io/v1": ("events", "Event"),
    "authentication.k8s.io/v1": ("authentication", "TokenReview TokenRequest SelfSubjectReview"),
    "authorization.k8s.io/v1": ("authorization", "SubjectAccessReview SelfSubjectAccessReview "
                                "SelfSubjectRulesReview LocalSubjectAccessReview"),
    "autoscaling/v1": ("autoscaling", "Scale HorizontalPodAutoscaler"),
    "policy/v1": ("policy", "PodDisruptionBudget Eviction"),
    "rbac.authorization.k8s.io/v1": ("rbac", "ClusterRoleBinding ClusterRole RoleBinding Role"),
    "storage.k8s.io/v1": ("storage", "StorageClass"),
    "admissionregistration.k8s.io/v1": ("admissionregistration", "MutatingWebhookConfiguration "
                                        "ValidatingWebhookConfiguration"),
    "apiextensions.k8s.io/v1": ("apiextensions", "CustomResourceDefinition"),
    "scheduling.k8s.io/v1": ("scheduling", "PriorityClass"),
    "coordination.k8s.io/v1": ("coordination", "Lease"),
    "node.k8s.io/v1": ("node", "RuntimeClass"),
    "networking.k8s.io/v1": ("networking", "NetworkPolicy Ingress IngressClass"),
    "discovery.k8s.io/v1": ("discovery", "EndpointSlice"),
    "*": (META, "CreateOptions DeleteOptions PatchOptions UpdateOptions Status"),
}

SCALARS = {"string": "string", "bool": "bool", "int32": "int32", "int64": "int64", "float64": "double",
           "[]byte": "bytes", "byte": "bytes", "int": "int64"}
# Go types with a JSON form of their own.
SPECIAL = {
    "metav1.Time": "time", "metav1.MicroTime": "microtime",
    "resource.Quantity": "quantity", "intstr.IntOrString": "intorstring", "runtime.RawExtension": "raw",
    "runtime.Object": "raw", "metav1.FieldsV1": "fields", "types.UID": "string",
}
OWN_FORM = {
    (META, "Time"): "time", (META, "MicroTime"): "microtime",
    (META, "FieldsV1"): "fields", ("apiextensions", "JSON"): "json",
    ("apiextensions", "JSONSchemaPropsOrBool"): "props_or_bool",
    ("apiextensions", "JSONSchemaPropsOrArray"): "props_or_array",
    ("apiextensions", "JSONSchemaPropsOrStringArray"): "props_or_strings",
}
IMPORTS = {"metav1": META, "v1": "core", "corev1": "core", "apiv1": "core", "authenticationv1": "authentication"}


class Field:
    def __init__(self, go_name, go_type, tag, markers):
        self.go_name, self.go_type, self.markers = go_name, go_type, markers
        self.tags = dict(re.findall(r'(\w+):"((?:[^"\\]|\\.)*)"', tag))
        parts = self.tags.get("json", "").split(",")
        self.name, self.options = parts[0], parts[1:]
        protobuf = self.tags.get("protobuf", "").split(",")
        self.number = int(protobuf[1]) if len(protobuf) > 2 else 0
        self.inline = "inline" in self.options or (go_name == "" and not self.name)


class Package:
    """One Go package: its structs, its other named types, and the enum constants of those."""

    def __init__(self, alias, folder):
        self.alias = alias
        self.structs, self.named, self.markers, self.enums, self.constants = {}, {}, {}, {}, {}
        for file in sorted(folder.glob("*.go")):
            if not file.name.startswith("zz_") and not file.name.endswith(("_test.go", ".pb.go")):
                self.read(file.read_text())
        self.messages = read_proto((folder / "generated.proto").read_text())

    def read(self, text):
        struct, comments = None, []
        for line in text.splitlines():
            stripped = line.strip()
            if stripped.startswith("//"):
                comments.append(stripped[2:].strip())
                continue
            if struct is None:
                struct = self.outside(line, comments)
            elif line == "}":
                struct = None
            else:
                self.field(struct, stripped, comments)
            comments = []

    def outside(self, line, comments):
        found = re.match(r"^type (\w+) struct ?\{(\})?$", line)
        if found:
            self.structs[found[1]] = []
            self.markers[found[1]] = markers_of(comments)
            return None if found[2] else found[1]
        found = re.match(r"^type (\w+) ([\w\[\]*.]+)(?: *//.*)?$", line)
        if found:
            self.named[found[1]] = found[2]
            self.markers[found[1]] = markers_of(comments)
        found = re.match(r'^\s+(\w+) +(\w+) += +"([^"]*)"', line)
        if found:
            self.enums.setdefault(found[2], []).append(found[3])
            self.constants[found[1]] = found[3]
        return None

    def field(self, struct, line, comments):
        found = re.match(r"^(?:(\w+)\s+)?([\w\[\]*.]+)\s+`([^`]*)`", line)
        if found:
            self.structs[struct].append(Field(found[1] or "", found[2], found[3], markers_of(comments)))


def markers_of(comments):
    out = {}
    for line in comments:
        found = re.match(r"^\+([\w:]+)(?:=(.*))?$", line)
        if found:
            out.setdefault(found[1], []).append((found[2] or "").strip())
    return out


def read_proto(text):
    messages, fields = {}, None
    for line in text.splitlines():
        line = line.strip()
        if found := re.match(r"^message (\w+) \{", line):
            fields = messages[found[1]] = {}
        elif found := re.match(r"^(optional|repeated|map<(\w+), *([\w.]+)>) ?([\w.]*) (\w+) = (\d+);", line):
            kind = "map" if found[2] else found[1]
            fields[int(found[6])] = (kind, found[3] or found[4], found[5])
    return messages


class Maker:
    def __init__(self, packages):
        self.packages, self.wanted, self.done = packages, [], {}

    def want(self, alias, name):
        if (alias, name) not in self.done:
            self.done[alias, name] = None
            self.wanted.append((alias, name))

    def type_text(self, alias, go_type):
        """The table's word for a Go type, and the enum values that it allows."""
        go_type = go_type.lstrip("*")
        if go_type in SCALARS:
            return SCALARS[go_type], []
        if go_type.startswith("[]"):
            inner, enum = self.type_text(alias, go_type[2:])
            return "[]" + inner, enum
        if found := re.match(r"^map\[[\w.]+\](.+)$", go_type):
            inner, enum = self.type_text(alias, found[1])
            return "{}" + inner, enum
        if go_type in SPECIAL:
            return SPECIAL[go_type], []
        home = alias
        if "." in go_type:
            prefix, go_type = go_type.split(".")
            home = IMPORTS[prefix]
        package = self.packages[home]
        if (home, go_type) in OWN_FORM:
            if OWN_FORM[home, go_type].startswith("props"):
                self.want(home, "JSONSchemaProps")
            return OWN_FORM[home, go_type], []
        if go_type in package.structs:
            self.want(home, go_type)
            return (go_type if home == alias else f"{home}.{go_type}"), []
        if go_type in package.messages:  # a named list is a message of its own on the wire
            assert package.named[go_type] == "[]string", go_type
            return "strings", []
        enum = package.enums.get(go_type, []) if "enum" in package.markers[go_type] else []
        return self.type_text(home, package.named[go_type])[0], sorted(set(enum))

    def field_line(self, alias, struct, field):
        text, enum = self.type_text(alias, field.go_type)
        flags = "p" * field.go_type.startswith("*") + "o" * ("omitempty" in field.options)
        flags += "z" * ("omitzero" in field.options) + "i" * field.inline
        optional = "o" in flags or "z" in flags or "optional" in field.markers
        flags += "r" * (("required" in field.markers or not optional) and not field.inline)
        words = [field.name or "-", str(field.number), text, flags or "-"]
        for marker, key in (("listType", "list"), ("mapType", "map"), ("structType", "map")):
            if marker in field.markers:
                words.append(f"{key}={field.markers[marker][0]}")
        if "listMapKey" in field.markers:
            words.append("keys=" + ",".join(field.markers["listMapKey"]))
        if "patchStrategy" in field.tags:
            words.append("patch=" + field.tags["patchStrategy"])
        if "patchMergeKey" in field.tags:
            words.append("key=" + field.tags["patchMergeKey"])
        if default := self.default_of(alias, field):
            words.append(f"default={default}")
        if enum:
            words.append("enum=" + ",".join(enum))
        assert not any(" " in word for word in words), words
        return " ".join(words)

    def default_of(self, alias, field):
        value = field.markers.get("default", [""])[0]
        found = re.match(r"^ref\((\w+)\)$", value)
        return json.dumps(self.packages[alias].constants[found[1]]) if found else value

    def check(self, alias, struct, fields):
        proto = self.packages[alias].messages.get(struct)
        if proto is None:
            assert all(f.number == 0 for f in fields), struct
            return
        numbers = {f.number: f for f in fields if f.number}
        assert set(numbers) == set(proto), (alias, struct, set(numbers) ^ set(proto))
        for number, (kind, type_name, _) in proto.items():
            go, _ = self.type_text(alias, numbers[number].go_type)
            assert (kind == "repeated") == go.startswith("[]"), (struct, go, kind)
            assert (kind == "map") == go.startswith("{}"), (struct, go, kind)
            if type_name in ("string", "bool", "int32", "int64", "bytes", "double"):
                assert go.lstrip("[]{}") == type_name, (struct, number, go, type_name)

    def type_lines(self, alias, name):
        package = self.packages[alias]
        fields = [f for f in package.structs[name] if f.name != "-" or f.inline]
        self.check(alias, name, fields)
        atomic = "atomic" in package.markers[name].get("structType", []) + package.markers[name].get("mapType", [])
        yield f"type {name}" + " atomic" * atomic
        for field in fields:
            yield " " + self.field_line(alias, name, field)

    def run(self):
        for alias, kinds in ROOTS.values():
            for kind in kinds.split():
                self.want(alias, kind)
        while self.wanted:
            alias, name = self.wanted.pop()
            self.done[alias, name] = list(self.type_lines(alias, name))


def module_folder(path, version):
    out = subprocess.run(["go", "mod", "download", "-json", f"{path}@{version}"], capture_output=True, text=True,
                         check=True)
    return pathlib.Path(json.loads(out.stdout)["Dir"])


def main(out, version=VERSION):
    folders = {m: module_folder(m, version) for m in (API, MACHINERY, EXTENSIONS)}
    maker = Maker({alias: Package(alias, folders[m] / f) for alias, (m, f, _) in PACKAGES.items()})
    maker.run()
    with open(out, "w") as file:
        print(f"# Made by tools/make_type_table.py from the k8s.io modules {version}. Do not edit.", file=file)
        for alias in PACKAGES:
            names = sorted(name for home, name in maker.done if home == alias)
            if not names:
                continue
            print(f"package {alias} {PACKAGES[alias][2]}", file=file)
            for name in names:
                print("\n".join(maker.done[alias, name]), file=file)
        for version_name, (alias, kinds) in ROOTS.items():
            for kind in kinds.split():
                print(f"kind {version_name} {kind} {alias}.{kind}", file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
