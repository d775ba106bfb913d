"""file://, and what comes before any download: STORAGE_URI and its scheme."""
import unittest

from fixture import InitializerTest


class Copies(InitializerTest):
    def test_a_directory_with_all_below_it(self):
        (self.folder / "in/deep").mkdir(parents=True)
        (self.folder / "in/deep/a b.csv").write_bytes(b"1")
        (self.folder / "in/x.log").write_bytes(b"2")
        (self.folder / "in/link").symlink_to("deep/a b.csv")
        files = self.succeeds("dataset", f"file://{self.folder}/in", IGNORE_PATTERNS="*.log")
        self.assertEqual(files, {"deep/a b.csv": b"1", "link": b"1"})

    def test_one_file_by_its_name(self):
        (self.folder / "a b").write_bytes(b"1")
        self.assertEqual(self.succeeds("model", f"file://{self.folder}/a%20b"), {"a b": b"1"})

    def test_what_the_pod_does_not_see(self):
        self.fails("dataset", "file:///no/such/place", "does not see /no/such/place",
                   "trainshed up --mount /no/such/place")
        self.fails("dataset", "file://data/x", "three slashes")


class Schemes(InitializerTest):
    def test_none_is_a_mistake(self):
        for uri in (None, ""):
            self.fails("dataset", uri, "STORAGE_URI is not set", "initializer.dataset.storageUri")

    def test_unknown_ones_name_those_that_are_known(self):
        self.fails("dataset", "gs://b/x", 'the scheme "gs"', "hf://, s3://, cache://, file://")
        self.fails("model", "org/name", 'the scheme ""', "hf://, s3://, file://")
        self.fails("model", "cache://schema/table", 'the scheme "cache"')

    def test_the_data_cache_is_not_here(self):
        self.fails("dataset", "cache://schema/table", "needs LeaderWorkerSet")

    def test_a_workspace_that_cannot_be_written(self):
        self.root.write_bytes(b"a file")
        self.fails("dataset", f"file://{self.folder}", "cannot write", "volume")


if __name__ == "__main__":
    unittest.main()
