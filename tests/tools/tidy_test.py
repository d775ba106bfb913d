"""The house rules find what they should and nothing else. Run by ctest: `python3 -m unittest`."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TIDY = pathlib.Path(__file__).resolve().parents[2] / "tools/tidy.py"
SLEEP = "sle" "ep"  # Else this file would be found, too.
CMAKE = "foreach(module base store net)\nendforeach()\n"


def tidy(**files):
    """What tidy says of a tree with these files: `fakes__net__a_cpp="..."` is fakes/net/a.cpp."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "CMakeLists.txt").write_text(CMAKE)
        for name, text in files.items():
            path, _, suffix = name.replace("__", "/").rpartition("_")
            (root / f"{path}.{suffix}").parent.mkdir(parents=True, exist_ok=True)
            (root / f"{path}.{suffix}").write_text(text)
        run = subprocess.run([sys.executable, TIDY, folder], capture_output=True, text=True)
        return run.returncode, run.stdout


def lines(count):
    return "    f();\n" * count


class Tidy(unittest.TestCase):
    def finds(self, message, **files):
        code, text = tidy(**files)
        self.assertEqual(code, 1, text)
        self.assertIn(message, text)
        self.assertEqual(len(text.splitlines()), 1, text)

    def accepts(self, **files):
        self.assertEqual(tidy(**files)[0], 0, tidy(**files)[1])

    def test_long_files(self):
        self.finds("a.cpp:1: file is longer than 400 lines", fakes__net__a_cpp="\n" * 401)
        self.accepts(fakes__net__a_cpp="\n" * 400)

    def test_long_functions(self):
        self.finds("a.cpp:2: function of 62 lines", fakes__net__a_cpp="namespace s {\nvoid f() {\n" + lines(61) + "}\n}\n")
        self.finds("function of 62 lines", fakes__net__a_cpp="S::S(int a) : a_{a} {\n" + lines(61) + "}\n")
        self.accepts(fakes__net__a_cpp="void f() {\n" + lines(59) + "}\n")
        self.accepts(fakes__net__a_cpp="struct S {\n" + "    void f() {}\n" * 90 + "};\n")
        self.accepts(fakes__net__a_cpp="const int table[] = {\n" + "    {f(1)},\n" * 90 + "};\n")
        self.accepts(fakes__net__a_cpp="void f() {\n" + lines(30) + '// }\n puts("}{");\n}\nvoid g() {\n' + lines(40) + "}\n")

    def test_braces_in_co_await(self):
        for form in ("co_await send(Frame{.a = 1});", "Pod pod{name, co_await fetch(id)};",
                     "co_await run([key] { return key; });"):
            self.finds("a.cpp:2: braces inside a co_await", fakes__net__a_cpp="awaitable<void> f() {\n" + form + "\n}\n")
        self.accepts(fakes__net__a_cpp="awaitable<void> f() {\nint a = 1;\nif (co_await g()) { h(a); }\n}\n")

    def test_awaits_in_conditions(self):
        for body in ("if (co_await g()) h();", "while (!co_await g()) {\nh();\n}", "switch (co_await g()) { default: h(); }",
                     "do { h(); } while (co_await g());", "for (; co_await g();) h();", "if (a) { if (f(co_await g())) co_return; }",
                     "if (a && b(co_await g())) co_return;"):
            for head in ("awaitable<void> f(std::string p) {", "asio::awaitable<Result<int>> S::f() const {",
                         "auto f = [&](int p) -> asio::awaitable<void> {"):
                self.finds("without a variable awaits in a condition", fakes__net__a_cpp=f"{head}\n{body}\n}}\n")
        for body in ("const bool b = co_await g();\nif (b) h();", "int n = 1;\nif (co_await g()) h(n);",
                     "if (co_await g()) { auto [a, b] = h(); }", "for (const int x : all) if (co_await g(x)) h();",
                     "Reader reader(p);\nif (co_await reader.g()) h();", "std::vector<std::pair<int, int>> all;\nwhile (co_await g()) h();",
                     "if (a) co_await g();\nco_return;", "if (h()) co_return co_await g();", "char byte[64];\nif (co_await g()) h();"):
            self.accepts(fakes__net__a_cpp=f"awaitable<void> f(std::string p) {{\n{body}\n}}\n")

    def test_conditionals_in_co_await(self):
        self.finds("a.cpp:2: a conditional inside a co_await",
                   fakes__net__a_cpp="awaitable<void> f() {\nco_await send(good ? head() : refusal(why));\n}\n")
        self.accepts(fakes__net__a_cpp="awaitable<void> f() {\nco_await wait(good ? 1 : 2);\n}\n")

    def test_arrows(self):
        header = "#pragma once\n// What it is for.\n"
        self.finds("store may not use net", fakes__net__net_hpp=header,
                   fakes__store__a_cpp='#include "fakes/net/net.hpp"\n')
        self.accepts(fakes__store__store_hpp=header, fakes__net__a_cpp='#include "fakes/store/store.hpp"\n')
        self.finds("fakes may not use simulator", simulator__up_hpp=header,
                   fakes__net__a_cpp='#include "simulator/up.hpp"\n')

    def test_headers_of_others(self):
        self.finds("begin it with a comment", fakes__store__store_hpp="#pragma once\nint f();\n",
                   fakes__net__a_cpp='#include "fakes/store/store.hpp"\n')
        self.accepts(fakes__net__b_hpp="#pragma once\nint f();\n", fakes__net__a_cpp='#include "fakes/net/b.hpp"\n')
        self.finds("for its own module only", fakes__store__internal_hpp="#pragma once\n// Inside.\n",
                   fakes__net__a_cpp='#include "fakes/store/internal.hpp"\n')

    def test_sleeps(self):
        self.finds("do not sleep", tests__a_cpp=f"void f() {{ std::this_thread::{SLEEP}_for(1s); }}\n")
        self.finds("why it sleeps", tests__a_py=f"time.{SLEEP}(1)\n")
        self.accepts(tests__a_py=f"time.{SLEEP}(1)  # The job's work.\n",
                     tests__b_cpp=f'run("{SLEEP}(1)");\n', fakes__net__a_cpp=f"void f() {{ {SLEEP}_for(1s); }}\n")

    def test_later(self):
        self.finds("a.sh:1", tools__a_sh="# TO" + "DO\n")
        self.accepts(tools__a_sh="# mktemp -d XXXXXX\n")


if __name__ == "__main__":
    unittest.main()
