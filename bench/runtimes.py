"""The runtimes under comparison, as command templates.

A runtime is given as `NAME=SPEC`, or `NAME:PRESET=SPEC` to run a preset under
another name. For a preset, SPEC is the path of the program, followed by
options for it if need be:

    zwasm=target/release/zwasm
    interp:zwasm='target/release/zwasm --engine interp'

Otherwise SPEC holds the command itself: how to call one function, and after a
`;` how to run a WASI program. Leave one side empty when a runtime cannot do it.

    other='other --call {func} {file} {args} ; other [ --map {host}={guest} ] {file} {args}'

{file} is the module, {func} the export, {types} the parameter types joined by
commas; the word {args} stands for any number of arguments, and the words in
[ ] are repeated for every preopened directory. In presets {exe} is the program
and the word {opts} its options.

The preset `wasmtime-aot` runs what wasmtime has compiled before, which does not
count: its figures are those of the code alone.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
from collections import namedtuple

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)

COMPILED = os.path.join(ROOT, "target", "bench", "compiled")

# `compile` makes {out} of {file}, which is then run in its place.
Preset = namedtuple("Preset", "invoke wasi lacks compile", defaults=("",))

PRESETS = {
    "zwasm": Preset(
        "{exe} {file} {opts} --invoke {func} {args}",
        "{exe} {file} {opts} --allow-all [ --dir {host}::{guest} ] -- {args}",
        (),
    ),
    # Its --dir has no guest name: the guest sees the host's.
    "wasmi": Preset(
        "{exe} run {opts} --invoke {func} {file} {args}",
        "{exe} run {opts} [ --dir {host} ] {file} {args}",
        ("gc",),
    ),
    "wasmtime": Preset(
        "{exe} run -C cache=n {opts} --invoke {func} {file} {args}",
        "{exe} run -C cache=n {opts} [ --dir {host}::{guest} ] {file} {args}",
        (),
    ),
    "wasmtime-aot": Preset(
        "{exe} run --allow-precompiled {opts} --invoke {func} {file} {args}",
        "{exe} run --allow-precompiled {opts} [ --dir {host}::{guest} ] {file} {args}",
        (),
        "{exe} compile {opts} -o {out} {file}",
    ),
    "node": Preset(
        "{exe} --no-warnings {opts} {bench}/node.mjs invoke {file} {func} {types} {args}",
        "{exe} --no-warnings {opts} {bench}/node.mjs wasi {file} [ {host}::{guest} ] -- {args}",
        ("wat",),
    ),
    "bun": Preset(
        "{exe} {opts} {bench}/node.mjs invoke {file} {func} {types} {args}",
        "{exe} {opts} {bench}/node.mjs wasi {file} [ {host}::{guest} ] -- {args}",
        ("wat",),
    ),
}


class Runtime:
    """A named pair of command templates.

    `lacks` is the set of features whose entries it is not asked to run.
    Raises ValueError for a text that is no runtime.
    """

    def __init__(self, text):
        head, equals, spec = text.partition("=")
        self.name, _, preset = head.partition(":")
        if not equals or not self.name or not spec.strip():
            raise ValueError(f"runtime {text!r}: expected NAME=SPEC")
        self.lacks = set()
        self.compile = []
        if "{" in spec and not preset:
            invoke, _, wasi = spec.partition(";")
            self.options = []
        else:
            kind = preset or self.name
            if kind not in PRESETS:
                raise ValueError(
                    f"runtime {text!r}: no preset {kind!r}, only {', '.join(PRESETS)}; "
                    "or give a command with {file}"
                )
            program, *self.options = shlex.split(spec)
            invoke, wasi, lacks, compile_ = PRESETS[kind]
            self.lacks.update(lacks)
            self.program = program
            self.compile = self.words(compile_)
        self.templates = {"invoke": self.words(invoke), "wasi": self.words(wasi)}

    def words(self, template):
        """Splits a template, with the program found now: runs change directory."""
        words = shlex.split(template)
        if not words:
            return []
        named = self.program if words[0] == "{exe}" else words[0]
        found = shutil.which(named)
        if not found:
            raise ValueError(f"runtime {self.name}: no program {named!r}")
        return [os.path.abspath(found), *words[1:]]

    def command(self, kind, file, func="", args=(), types=(), dirs=()):
        """The argument vector for one run; None if the runtime has no way to do it.

        `dirs` is a list of (host, guest) pairs.
        """
        template = self.templates[kind]
        if not template:
            return None
        if self.compile:
            file = self.compiled(file)
        values = {"file": file, "func": func, "types": ",".join(types), "bench": BENCH}
        return self.filled(template, values, args, dirs)

    def compiled(self, file):
        """What `compile` makes of a module, made once; if it fails, a file that is not there."""
        with open(file, "rb") as module:
            digest = hashlib.sha256(module.read() + repr(self.compile + self.options).encode())
        os.makedirs(COMPILED, exist_ok=True)
        out = os.path.join(COMPILED, f"{digest.hexdigest()[:32]}.{self.name}")
        if not os.path.exists(out):
            subprocess.run(self.filled(self.compile, {"file": file, "out": out}), check=False)
        return out

    def filled(self, template, values, args=(), dirs=()):
        """The words of a template with everything in its place."""
        command = [template[0]]
        group = None
        for word in template[1:]:
            if word == "[":
                group = []
            elif word == "]":
                for host, guest in dirs:
                    command += [fill(w, {**values, "host": host, "guest": guest}) for w in group]
                group = None
            elif group is not None:
                group.append(word)
            elif word == "{args}":
                command += args
            elif word == "{opts}":
                command += self.options
            else:
                command.append(fill(word, values))
        return command


def fill(word, values):
    """Replaces each {name} of `values` in `word`.

    >>> fill("--map={host}:{guest}", {"host": "a", "guest": "/"})
    '--map=a:/'
    """
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


def parse_runtimes(texts, parser):
    """Turns --runtime options into runtimes, or ends with a message."""
    try:
        runtimes = [Runtime(text) for text in texts]
    except ValueError as error:
        parser.error(str(error))
    names = [runtime.name for runtime in runtimes]
    for name in names:
        if names.count(name) > 1:
            parser.error(f"runtime {name!r} is given twice; name one NAME:PRESET=PATH")
    return runtimes
