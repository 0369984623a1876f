#!/usr/bin/env python3
"""Compares the public API with the one that was recorded, as versions promise it.

Usage: scripts/api.py [--record] [--no-build]

The listing is what the documentation shows of the published libraries: declarations,
methods, and which traits a type has, a line each. It is compared with the one in
`scripts/api`, whose first line is the version it was recorded at. Lines that are gone
break somebody's program: then the version has to be one that may (0.2 after 0.1, 2.0 after
1.0), or the listing is recorded anew, which a reviewer sees. New lines are counted only.

With `--no-build` the documentation in the target directory is taken as it is. Exit code: 0,
or 1 with a line for each that is gone.
"""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "scripts" / "api"

LIBRARIES = ["zwasm", "zwasm-component", "zwasm-wasi"]

# What begins the name of a page about an item.
KINDS = "struct|enum|trait|fn|macro|constant|static|type|union|derive|attr"


class Page(HTMLParser):
    """The lines of a page about an item.

    Declarations stand in `pre` of class `item-decl`, the rest in headings of class
    `code-header`, in lists whose ids say what of.
    """

    LISTS = {
        "implementations-list": "own",
        "trait-implementations-list": "traits",
        "synthetic-implementations-list": "traits",
        "blanket-implementations-list": None,
        "implementors-list": None,
        "synthetic-implementors-list": None,
        "deref-methods": None,
    }

    def __init__(self):
        super().__init__()
        self.lines = []
        self.text = None
        self.depth = 0
        self.list = None
        self.inside = []

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        classes = (names.get("class") or "").split()
        ident = names.get("id") or ""
        if tag == "div":
            known = next((key for key in self.LISTS if ident.startswith(key)), None)
            self.inside.append(self.list)
            if known:
                self.list = self.LISTS[known]
        if self.text is not None:
            self.depth += tag not in ("br", "wbr")
            return
        is_item = tag == "pre" and "item-decl" in classes
        is_method = tag == "h4" and "code-header" in classes and self.list == "own"
        is_trait = tag == "h3" and "code-header" in classes and self.list == "traits"
        if is_item or is_method or is_trait:
            self.text, self.depth = "", 1

    def handle_endtag(self, tag):
        if tag == "div" and self.inside:
            self.list = self.inside.pop()
        if self.text is None:
            return
        self.depth -= 1
        if self.depth == 0:
            self.lines.append(one_line(self.text))
            self.text = None

    def handle_data(self, data):
        if self.text is not None:
            self.text += data


# What the compiler finds out by itself and promises nobody.
AUTOMATIC = re.compile(
    r"impl(<.*>)? !?(Freeze|RefUnwindSafe|StructuralPartialEq|UnsafeUnpin|UnwindSafe) for "
)


# A parameter, whose name means nothing to who calls.
PARAMETER = re.compile(r"(?<!['\w])[a-z_]\w*: ")


def one_line(text):
    """
    >>> one_line("pub fn f<'a: 'b, T: Copy>(\\n    a: &'a T,\\n) -> u32")
    "pub fn f<'a: 'b, T: Copy>(_: &'a T) -> u32"
    >>> one_line("pub struct Point { pub x: u32 }")
    'pub struct Point { pub x: u32 }'
    """
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"([(\[<]) ", r"\1", text).replace(", )", ")").replace(",)", ")")
    if re.match(r"pub (const |unsafe )*fn ", text):
        text = PARAMETER.sub("_: ", text)
    return text


def listing(doc, library):
    """All lines about a library, each behind the item that it is about."""
    folder = doc / library.replace("-", "_")
    lines = set()
    for path in sorted(folder.rglob("*.html")):
        kind = re.match(rf"({KINDS})\.(.+)\.html", path.name)
        if not kind:
            continue
        page = Page()
        page.feed(path.read_text())
        module = "::".join(path.relative_to(folder).parts[:-1])
        item = f"{module}::{kind[2]}" if module else kind[2]
        kept = (line for line in page.lines if not AUTOMATIC.match(line))
        lines.update(f"{item}: {line}" for line in kept)
    if not lines:
        sys.exit(f"scripts/api.py: no documentation of {library} in {folder}")
    return sorted(lines)


def may_break(old, new):
    """
    >>> may_break("0.1.0", "0.1.5"), may_break("0.1.0", "0.2.0")
    (False, True)
    >>> may_break("1.2.0", "1.3.0"), may_break("1.2.0", "2.0.0"), may_break("0.9.1", "1.0.0")
    (False, True, True)
    """
    (a, b), (c, d) = (tuple(map(int, version.split(".")[:2])) for version in (old, new))
    return c > a or (a == 0 and c == 0 and d > b)


def main():
    words = sys.argv[1:]
    if set(words) - {"--record", "--no-build"}:
        sys.exit(__doc__)
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    if "--no-build" not in words:
        packages = [word for library in LIBRARIES for word in ("-p", library)]
        subprocess.run(["cargo", "doc", "--quiet", "--no-deps", *packages], cwd=ROOT, check=True)
    version = re.search(r'(?m)^version = "(.+)"', (ROOT / "Cargo.toml").read_text())[1]
    failed = False
    for library in LIBRARIES:
        now = listing(target / "doc", library)
        path = RECORDED / f"{library}.txt"
        if "--record" in words:
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join([version, *now]) + "\n")
            continue
        old, *then = path.read_text().splitlines()
        gone = sorted(set(then) - set(now))
        print(f"{library}: {len(now)} lines, {len(set(now) - set(then))} new, {len(gone)} gone")
        if gone and not may_break(old, version):
            failed = True
            for line in gone:
                print(f"gone since {old}: {line}")
    if failed:
        print(f"version {version} may not break what was there: raise it, or record the API anew")
    sys.exit(failed)


if __name__ == "__main__":
    main()
