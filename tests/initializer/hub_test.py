"""hf://: the hub's lists and files, its tokens, and the shared cache where there is no hub."""
import json
import unittest

from fixture import InitializerTest

COMMIT = "0" * 40
NOWHERE = "http://127.0.0.1:1"  # nothing listens on tcpmux
MODEL = {"config.json": b"{}", "model.safetensors": b"w", "pytorch_model.bin": b"p",
         "a/t.txt": b"t", "model.gguf": b"g"}


def hub(repository, files, token=None, at=""):
    """A hub with one repository: `datasets/org/name`, or `models/org/name`."""
    prefix = "/" + repository.removeprefix("models/") + f"/resolve/{COMMIT}/"

    def answer(path, headers):
        if token and headers.get("Authorization") != f"Bearer {token}":
            return 401, {}, b"Invalid username or password."
        if path == f"/api/{repository}/revision/main":
            names = [{"rfilename": name} for name in files]
            return 200, {}, json.dumps({"sha": COMMIT, "siblings": names}).encode()
        if path.startswith(prefix) and path[len(prefix):] in files:
            name = path[len(prefix):]
            return (302, {"Location": f"{at}/{name}"}, b"") if at else (200, {}, files[name])
        return 404, {}, b"Repository not found"
    return answer


class Downloads(InitializerTest):
    def test_a_models_files_but_no_other_formats(self):
        server = self.serve(hub("models/org/name", MODEL))
        files = self.succeeds("model", "hf://org/name",
                              HF_ENDPOINT=server.url, IGNORE_PATTERNS="a/")
        self.assertEqual(sorted(files), ["config.json", "model.safetensors"])

    def test_a_data_set_whole(self):
        server = self.serve(hub("datasets/org/name", {**MODEL, "x.log": b""}))
        files = self.succeeds("dataset", "hf://org/name/main",
                              HF_ENDPOINT=server.url, IGNORE_PATTERNS="*.log")
        self.assertEqual(files, MODEL)

    def test_the_token_stays_with_the_hub(self):
        storage = self.serve(lambda path, headers: (200, {}, b"from storage"))
        server = self.serve(hub("models/org/name", {"config.json": b""}, token="t", at=storage.url))
        files = self.succeeds("model", "hf://org/name", HF_ENDPOINT=server.url, ACCESS_TOKEN="t")
        self.assertEqual(files, {"config.json": b"from storage"})
        self.assertNotIn("Authorization", storage.asked[0][1])

    def test_a_renamed_repository_is_followed_with_the_token(self):
        answer = hub("models/org/new", {"config.json": b"{}"}, token="t")

        def renamed(path, headers):
            if "org/old" in path:
                return 307, {"Location": path.replace("org/old", "org/new")}, b""
            return answer(path, headers)
        server = self.serve(renamed)
        files = self.succeeds("model", "hf://org/old", HF_ENDPOINT=server.url, HF_TOKEN="t")
        self.assertEqual(files, {"config.json": b"{}"})


class Failures(InitializerTest):
    def test_what_is_private_or_not_there(self):
        server = self.serve(hub("models/org/name", MODEL, token="t"))
        self.fails("model", "hf://org/name", "(401 Unauthorized)", "set ACCESS_TOKEN",
                   HF_ENDPOINT=server.url)
        self.fails("model", "hf://org/none", '"org/none" (404', "ACCESS_TOKEN",
                   HF_ENDPOINT=server.url,
                   ACCESS_TOKEN="t")

    def test_names(self):
        for kind, name in (("dataset", "squad"), ("model", "org/name/x"), ("model", "")):
            self.fails(kind, f"hf://{name}", "is no repository", "hf://ORGANISATION/NAME",
                       HF_ENDPOINT=NOWHERE)

    def test_no_hub_and_no_cache(self):
        self.fails("dataset", "hf://org/name", "127.0.0.1:1 cannot be reached from this pod",
                   "the shared Hugging Face cache does not have it",
                   "hf download --repo-type dataset org/name", HF_ENDPOINT=NOWHERE)

    def test_something_else_answers(self):
        server = self.serve(lambda path, headers: (200, {}, b"<html>"))
        self.fails("model", "hf://org/name", "does not answer as the hub does",
                   HF_ENDPOINT=server.url)


class SharedCache(InitializerTest):
    def fill(self, repository, commit=COMMIT, **files):
        top = self.folder / "cache/hub" / repository
        (top / "refs").mkdir(parents=True)
        (top / "refs/main").write_text(commit)
        (top / "blobs").mkdir()
        for number, (name, content) in enumerate(files.items()):
            (top / f"blobs/{number}").write_bytes(content)
            place = top / "snapshots" / commit / name.replace("_", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(top / f"blobs/{number}")

    def test_it_serves_without_a_hub(self):
        self.fill("datasets--org--name", train_csv=b"1", test_log=b"2")
        files = self.succeeds("dataset", "hf://org/name",
                              HF_ENDPOINT=NOWHERE, IGNORE_PATTERNS="*.log")
        self.assertEqual(files, {"train.csv": b"1"})

    def test_offline_means_that_the_hub_is_not_asked(self):
        server = self.serve(hub("models/org/name", MODEL))
        self.fill("models--org--name", config_json=b"cached", model_bin=b"no")
        environ = {"HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "1"}
        files = self.succeeds("model", "hf://org/name", **environ)
        self.assertEqual(files, {"config.json": b"cached"})
        self.fails("model", "hf://org/other", "HF_HUB_OFFLINE is set", "hf download org/other",
                   **environ)
        self.assertEqual(server.asked, [])

    def test_what_it_has_of_the_hubs_commit_is_not_downloaded(self):
        server = self.serve(hub("models/org/name", MODEL))
        self.fill("models--org--name", model_safetensors=b"cached")
        files = self.succeeds("model", "hf://org/name", HF_ENDPOINT=server.url)
        self.assertEqual(files["model.safetensors"], b"cached")
        self.assertEqual([p for p in server.paths() if p.endswith("safetensors")], [])

    def test_an_older_commit_is_not_taken_for_the_hubs(self):
        server = self.serve(hub("models/org/name", MODEL))
        self.fill("models--org--name", commit="1" * 40, model_safetensors=b"old")
        files = self.succeeds("model", "hf://org/name", HF_ENDPOINT=server.url)
        self.assertEqual(files["model.safetensors"], b"w")


if __name__ == "__main__":
    unittest.main()
