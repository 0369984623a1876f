"""Finding and installing the runtimes that zwasm is compared with.

A peer is looked for in the folder of installed ones first, which is
`target/bench/peers` unless said otherwise, then among the programs on PATH.
Installing takes it from the registry that publishes it, at the version given
here, so that figures of different days are of the same peers.
"""

import os
import platform
import shutil
import subprocess
from collections import namedtuple

# Registries name the machine differently.
NPM_CPU = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x64")
BUN_CPU = {"x64": "x64", "arm64": "aarch64"}[NPM_CPU]
SYSTEM = platform.system().lower()
NODE = f"node-{SYSTEM}-{NPM_CPU}"
BUN = f"@oven/bun-{SYSTEM}-{BUN_CPU}"

CARGO = ["cargo", "install", "--locked", "--root", "{folder}"]
NPM = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", "{folder}"]

# `path` is where the install command, run for a folder, leaves the program.
Peer = namedtuple("Peer", "version install path")

PEERS = {
    "wasmtime": Peer("48.0.8", [*CARGO, "wasmtime-cli@48.0.8"], "bin/wasmtime"),
    "wasmi": Peer("2.0.0", [*CARGO, "--features", "simd", "wasmi_cli@2.0.0"], "bin/wasmi"),
    "node": Peer("26.10.0", [*NPM, f"{NODE}@26.10.0"], f"node_modules/{NODE}/bin/node"),
    "bun": Peer("1.4.4", [*NPM, f"{BUN}@1.4.4"], f"node_modules/{BUN}/bin/bun"),
}


def find(name, folder):
    """The path of a peer's program, or None."""
    installed = os.path.join(folder, PEERS[name].path)
    return installed if os.access(installed, os.X_OK) else shutil.which(name)


def install(name, folder):
    """Installs a peer and gives its path.

    Raises OSError when the installer cannot be run, and ValueError when it fails
    or leaves no program.
    """
    os.makedirs(folder, exist_ok=True)
    command = [word.replace("{folder}", folder) for word in PEERS[name].install]
    if subprocess.run(command).returncode != 0:
        raise ValueError(f"`{' '.join(command)}` failed")
    path = os.path.join(folder, PEERS[name].path)
    if not os.access(path, os.X_OK):
        raise ValueError(f"`{' '.join(command)}` left no {path}")
    return path


def version(program):
    """The first line of what a program says of its version."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown version"
    return (said.stdout.strip().splitlines() or ["unknown version"])[0]
