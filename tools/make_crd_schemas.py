#!/usr/bin/env python3
"""Makes fakes/types/crd_schemas.json from upstream CRD manifests: `make_crd_schemas.py OUT MANIFEST...`.

Keeps what the API server acts on (types, limits, defaults, list keys, CEL rules) and drops the prose.
Equal subtrees are written once and named by {"$ref": N}, which makes 3 MB into a tenth of a MB.
"""
import collections
import json
import sys

import yaml

KEPT = {
    "type", "format", "properties", "items", "additionalProperties", "required", "default", "enum",
    "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "minProperties",
    "maxProperties", "nullable", "anyOf", "x-kubernetes-validations", "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
}


def pruned(schema):
    out = {}
    for key, value in schema.items():
        if key not in KEPT:
            continue
        if key == "properties":
            value = {name: pruned(sub) for name, sub in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            value = pruned(value)
        elif key == "anyOf":
            continue  # only ever the integer-or-string pair, which int-or-string says already
        out[key] = value
    return out


class Shared:
    """Replaces every structured subtree that occurs twice by a reference."""

    def __init__(self):
        self.count = collections.Counter()
        self.order = []
        self.number = {}

    def text(self, schema):
        return json.dumps(schema, sort_keys=True, separators=(",", ":"))

    def walk(self, schema, visit):
        for sub in list(schema.get("properties", {}).values()) + [
                schema.get(k) for k in ("items", "additionalProperties")]:
            if isinstance(sub, dict):
                visit(sub)

    def measure(self, schema):
        text = self.text(schema)
        self.count[text] += 1
        if self.count[text] == 1:
            self.walk(schema, self.measure)

    def folded(self, schema, top=False):
        text = self.text(schema)
        if not top and self.count[text] > 1 and len(text) > 60:
            if text not in self.number:
                body = self.replaced(schema)
                self.number[text] = len(self.order)
                self.order.append(body)
            return {"$ref": self.number[text]}
        return self.replaced(schema)

    def replaced(self, schema):
        out = dict(schema)
        if "properties" in out:
            out["properties"] = {n: self.folded(s) for n, s in out["properties"].items()}
        for key in ("items", "additionalProperties"):
            if isinstance(out.get(key), dict):
                out[key] = self.folded(out[key])
        return out


def main(out, manifests):
    kinds, shared = {}, Shared()
    for path in manifests:
        with open(path) as f:
            crd = yaml.load(f, yaml.CSafeLoader)
        spec = crd["spec"]
        for version in spec["versions"]:
            name = f'{spec["group"]}/{version["name"]}/{spec["names"]["kind"]}'
            kinds[name] = pruned(version["schema"]["openAPIV3Schema"])
    for schema in kinds.values():
        shared.measure(schema)
    document = {"kinds": {name: shared.folded(s, top=True) for name, s in sorted(kinds.items())}}
    document["shared"] = shared.order
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    with open(out, "w") as f:
        print(text, file=f)
    print(len(text), "characters,", len(shared.order), "shared,", sorted(kinds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
