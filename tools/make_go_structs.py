#!/usr/bin/env python3
"""Makes fakes/types/go_structs.txt from the Go module of kube-apiserver: `make_go_structs.py OUT [VERSION]`.

The server checks its own structs, not those of the public API, and error texts print them: members by their Go names,
unset ones too. Only names, order and shapes are kept. The format is described in fakes/types/README.md. Needs `go` and a
Go proxy, and fakes/types/table.txt, which says how the public API writes the same members.
"""
import json
import pathlib
import re
import subprocess
import sys

MODULE, VERSION = "k8s.io/kubernetes", "v1.36.3"
FILES = {"core": "pkg/apis/core/types.go", "batch": "pkg/apis/batch/types.go"}
TABLE = pathlib.Path(__file__).parent.parent / "fakes/types/table.txt"
# What error texts print, directly or inside.
ROOTS = {
    "core": "PodTemplateSpec PersistentVolumeClaimSpec ServicePort Taint NodeAddress ObjectReference EventSource "
            "NodeSelectorTerm SecurityContext SeccompProfile PodResourceClaim ContainerResizePolicy PodIP HostIP",
    "batch": "PodFailurePolicy SuccessPolicy",
}
OWN_FORM = {
    "string": "string", "bool": "bool", "int": "int", "int32": "int", "int64": "int", "byte": "int",
    "resource.Quantity": "quantity", "intstr.IntOrString": "intorstring", "metav1.Time": "time",
    "metav1.MicroTime": "time", "types.UID": "string",
}
# Members that the public API keeps in the struct around.
OF_PARENT = {("PodSecurityContext", name) for name in ("HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace",
                                                       "HostUsers")}
# Public names that differ by more than case.
RENAMED = {
    ("ISCSIVolumeSource", "DiscoveryCHAPAuth"): "chapAuthDiscovery", ("ISCSIVolumeSource", "SessionCHAPAuth"): "chapAuthSession",
    ("GlusterfsVolumeSource", "EndpointsName"): "endpoints", ("RBDVolumeSource", "CephMonitors"): "monitors",
    ("RBDVolumeSource", "RBDImage"): "image", ("RBDVolumeSource", "RBDPool"): "pool", ("RBDVolumeSource", "RadosUser"): "user",
    ("AzureDiskVolumeSource", "DataDiskURI"): "diskURI",
}


def public_names():
    """{(package, struct): {lower-case member: member}} of the public API."""
    names, package, struct = {}, "", ""
    for line in TABLE.read_text().splitlines():
        words = line.split(" ")
        if words[0] == "package":
            package = words[1]
        elif words[0] == "type":
            struct = words[1]
        elif words[0] == "":
            names.setdefault((package, struct), {})[words[1].lower()] = words[1]
    return names


def read(text):
    structs, named, current = {}, {}, None
    for line in text.splitlines():
        code = line.split("//")[0].strip()
        if found := re.match(r"^type (\w+) struct ?\{$", code):
            current = structs[found[1]] = []
        elif code == "}":
            current = None
        elif current is None:
            if found := re.match(r"^type (\w+) ([\w\[\]*.]+)$", code):
                named[found[1]] = found[2]
        elif found := re.match(r"^(?:(\w+)\s+)?([\w\[\]*.]+)(?:\s+`.*`)?$", code):
            current.append((found[1] or "", found[2]))
    return structs, named


class Maker:
    def __init__(self, folder):
        self.read = {alias: read((folder / file).read_text()) for alias, file in FILES.items()}
        self.public = public_names()
        self.done = {}

    def type_text(self, alias, go_type):
        for prefix, mark in (("*", "*"), ("[]", "[]")):
            if go_type.startswith(prefix):
                return mark + self.type_text(alias, go_type[len(prefix):])
        if found := re.match(r"^map\[[\w.]+\](.+)$", go_type):
            return "{}" + self.type_text(alias, found[1])
        if go_type in OWN_FORM:
            return OWN_FORM[go_type]
        if go_type.startswith("metav1."):
            return "meta." + go_type.removeprefix("metav1.")
        if go_type.startswith(("api.", "core.")):
            alias, go_type = "core", go_type.split(".")[1]
        structs, named = self.read[alias]
        if go_type in structs:
            self.struct(alias, go_type)
            return f"{alias}.{go_type}"
        return self.type_text(alias, named[go_type])

    def struct(self, alias, name):
        if (alias, name) in self.done:
            return
        lines = self.done[alias, name] = []
        for go_name, go_type in self.read[alias][0][name]:
            text = self.type_text(alias, go_type)
            if not go_name:
                lines.append(f" - {'metadata' if text == 'meta.ObjectMeta' else '-'} {text}")
                continue
            lines.append(f" {go_name} {self.public_name(alias, name, go_name)} {text}")

    def public_name(self, alias, struct, go_name):
        if (struct, go_name) in OF_PARENT:
            return "^" + self.public["core", "PodSpec"][go_name.lower()]
        if (struct, go_name) in RENAMED:
            return RENAMED[struct, go_name]
        if go_name == "ObjectMeta":
            return "metadata"
        names = self.public.get((alias, struct), {})
        assert go_name.lower() in names, f"RENAMED lacks {struct}.{go_name}, one of {sorted(names.values())}"
        return names[go_name.lower()]


def main(out, version=VERSION):
    found = subprocess.run(["go", "mod", "download", "-json", f"{MODULE}@{version}"], capture_output=True, text=True,
                           check=True)
    maker = Maker(pathlib.Path(json.loads(found.stdout)["Dir"]))
    for alias, names in ROOTS.items():
        for name in names.split():
            maker.struct(alias, name)
    with open(out, "w") as file:
        print(f"# Made by tools/make_go_structs.py from {MODULE} {version}. Do not edit.", file=file)
        for (alias, name), lines in sorted(maker.done.items()):
            print(f"type {alias}.{name}", *lines, sep="\n", file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
