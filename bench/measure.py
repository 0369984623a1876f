"""What the benchmark scripts share: the entries, one checked run, and ratios.

An entry is a row of the manifest that comes with the benchmark data, or one of
the vector programs of `bench/simd-src`, which join the suite `simd` once they
are built. Entries are run whole, start-up and compilation included, runtimes
taking turns (A B A B ...), and every output is compared with the expected one:
a runtime that gives a wrong one has no figure for that entry.
"""

import hashlib
import json
import math
import os
import re
import shlex
import statistics
import sys
import tempfile

from process import Running
from runtimes import BENCH, ROOT

# Its own length varies with the speed of the runtime, so only the score it
# prints can be compared. It reads the process CPU clock and never ends under a
# runtime that has none, as wasmtime.
COREMARK = "coremark"
SCORE = re.compile(rb"^CoreMark 1\.0 : ([0-9.]+)", re.MULTILINE)

# f32 results carry about seven digits, and runtimes print f64 and f32 alike.
FLOAT_TOLERANCE = 1e-6

TARGET = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"))

# The command as `cargo build --release` leaves it.
RELEASE = os.path.join(TARGET, "release", "zwasm")

# Where `bench/simd-src/build` puts the programs.
PROGRAMS = os.path.join(TARGET, "bench", "simd")
SOURCES = os.path.join(BENCH, "simd-src")
PRINTS = "// prints: "


def add_options(parser, runs):
    """The options that every script which measures has."""
    add = parser.add_argument
    add("--corpora", default=os.path.join(ROOT, "..", "shared", "corpora"), metavar="DIR",
        help="folder that holds bench/manifest.json (default: ../shared/corpora)")
    add("--runs", type=int, default=runs, metavar="N", help=f"runs of each entry (default {runs})")
    add("--budget", type=float, default=20, metavar="S",
        help="no further round of an entry that has taken this many seconds (default 20)")
    add("--timeout", type=float, default=120, metavar="S", help="longest single run (default 120 s)")


def names(text):
    return [word for word in text.split(",") if word]


class Entries:
    """All entries there are, and the folder their files are named from.

    Ends the script with a message and code 2 when the data is missing.
    """

    def __init__(self, options):
        if options.runs < 1:
            sys.exit(usage_error("--runs must be at least 1"))
        self.folder = os.path.realpath(os.path.join(options.corpora, "bench"))
        try:
            with open(os.path.join(self.folder, "manifest.json"), encoding="utf-8") as file:
                self.all = json.load(file)
        except OSError as error:
            sys.exit(usage_error(f"no benchmark data: looked for {error.filename}"))
        self.all += programs()

    def select(self, suites=None, chosen=None, feats=None, coremark=False):
        """The entries that the filters leave; a filter word that fits nothing ends the script."""
        for words, known, what in [
            (suites, {e["suite"] for e in self.all}, "suite"),
            (chosen, {n for e in self.all for n in (e["name"], title(e))}, "name"),
            (feats, {f for e in self.all for f in features(e)}, "feat"),
        ]:
            unknown = [word for word in words or () if word not in known]
            if unknown:
                known = ", ".join(sorted(known))
                sys.exit(usage_error(f"no entry has the {what} {', '.join(unknown)}; known: {known}"))
        selected = [
            e
            for e in self.all
            if (not suites or e["suite"] in suites)
            and (not chosen or e["name"] in chosen or title(e) in chosen)
            and (not feats or set(feats) & features(e))
            and (coremark or e["name"] != COREMARK)
        ]
        if not selected:
            sys.exit(usage_error("the filters leave no entry"))
        return selected


def usage_error(message):
    """Prints a message and gives the exit code for bad usage."""
    print(f"bench/{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
    return 2


def programs():
    """The entries of the vector programs that have been built."""
    entries = []
    for source in sorted(os.listdir(SOURCES)):
        name, extension = os.path.splitext(source)
        file = os.path.join(PROGRAMS, name + ".wasm")
        if extension == ".c" and os.path.exists(file):
            entry = dict.fromkeys(("func", "args", "argtypes", "cwd", "dirs", "stdin"), "")
            digest = hashlib.sha256(expected_line(source).encode()).hexdigest()[:16]
            entry.update(suite="simd", name=f"c_{name}", file=file, kind="wasi", feat="simd")
            entry.update(check="stdout", expect=digest)
            entries.append(entry)
    return entries


def expected_line(source):
    """What a program has to print, from the first line of its source."""
    with open(os.path.join(SOURCES, source), encoding="utf-8") as file:
        return file.readline().removeprefix(PRINTS)


def title(entry):
    return f"{entry['suite']}/{entry['name']}"


def features(entry):
    """What a runtime needs for the entry, the text format included."""
    needed = set(names(entry["feat"]))
    if entry["file"].endswith(".wat"):
        needed.add("wat")
    return needed


def command(entry, runtime, folder):
    dirs = [tuple(pair.split(":", 1)) for pair in entry["dirs"].split()]
    return runtime.command(
        entry["kind"],
        os.path.join(folder, entry["file"]),
        func=entry["func"],
        args=shlex.split(entry["args"]),
        types=entry["argtypes"].split(),
        dirs=dirs,
    )


def judge(entry, sample, output):
    """None if the run gave what the manifest expects, else what is wrong, in a few words."""
    if sample.timed_out:
        return "timed out"
    if sample.code != entry.get("rc", 0):
        return f"exit code {sample.code}"
    check, _, text = entry["check"].partition(":")
    if check == "contains":
        return None if text.encode() in output else f"output lacks {text!r}"
    if entry["kind"] == "invoke":
        printed = output.decode(errors="replace").strip()
        return None if same_number(printed, entry["expect"]) else f"printed {printed[:40]!r}"
    digest = hashlib.sha256(output).hexdigest()[:16]
    return None if digest == entry["expect"] else f"stdout has digest {digest}"


def same_number(printed, expected):
    """Integers exactly; floating-point numbers as closely as single precision allows.

    >>> same_number("5", 5), same_number("5.5", 5), same_number("", 5)
    (True, False, False)
    >>> same_number("0.14960000", 0.1496), same_number("0.15", 0.1496)
    (True, False)
    """
    try:
        if isinstance(expected, int) and "." not in printed:
            return int(printed) == expected
        return math.isclose(float(printed), expected, rel_tol=FLOAT_TOLERANCE)
    except ValueError:
        return False


def run_once(entry, words, folder, timeout):
    """One measured run: (sample, score, complaint)."""
    with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        with open(os.path.join(folder, entry["stdin"] or os.devnull), "rb") as stdin:
            cwd = os.path.join(folder, entry["cwd"])
            sample = Running(words, out, timeout, stderr=err.name, stdin=stdin, cwd=cwd).finish()
        out.seek(0)
        output = out.read()
        complaint = judge(entry, sample, output)
        if complaint:
            said = err.read().decode(errors="replace").strip().splitlines()
            complaint += f": {said[0][:100]}" if said else ""
        score = SCORE.search(output) if entry["name"] == COREMARK else None
        return sample, float(score.group(1)) if score else None, complaint


def measure(entry, runtimes, options, folder):
    """All runs of one entry: {runtime name: result}, a result having samples or a reason."""
    results, commands = {}, {}
    for runtime in runtimes:
        missing = sorted(features(entry) & runtime.lacks)
        words = None if missing else command(entry, runtime, folder)
        results[runtime.name] = {"samples": [], "scores": [], "fail": None, "skip": None}
        if words:
            commands[runtime.name] = words
        else:
            reason = f"no {', '.join(missing)}" if missing else f"no template for {entry['kind']}"
            results[runtime.name]["skip"] = reason
    spent = 0
    for _ in range(options.runs):
        round_time = 0
        for name, words in list(commands.items()):
            sample, score, complaint = run_once(entry, words, folder, options.timeout)
            round_time += sample.wall_ms / 1000
            if complaint:
                results[name]["fail"] = complaint
                del commands[name]
                continue
            results[name]["samples"].append(sample._asdict())
            if score is not None:
                results[name]["scores"].append(score)
        spent += round_time
        if spent + round_time > options.budget:
            break
    return results


def value(entry, result, field):
    """The figure to compare: a median, or None where there is nothing valid."""
    if result["fail"] or result["skip"]:
        return None
    if scored(entry, field):
        return statistics.median(result["scores"]) if result["scores"] else None
    return statistics.median(sample[field] for sample in result["samples"])


def scored(entry, field):
    return entry["name"] == COREMARK and field != "rss_kb"


def ratio(entry, field, first, other):
    """First against other, below 1 where the first is ahead; None if not comparable.

    >>> ratio({"name": "fib"}, "cpu_ms", 50, 100), ratio({"name": "coremark"}, "cpu_ms", 50, 100)
    (0.5, 2.0)
    >>> ratio({"name": "fib"}, "cpu_ms", 50, None)
    """
    if not first or not other:
        return None
    return other / first if scored(entry, field) else first / other


def geomean(values):
    """The geometric mean; None of nothing.

    >>> round(geomean([0.5, 8]), 9), geomean([])
    (2.0, None)
    """
    return math.exp(statistics.fmean(math.log(v) for v in values)) if values else None
