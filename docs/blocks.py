"""The code blocks of Markdown files, as sessions that can be followed.

A block of the language `console` is a session in a terminal: lines that begin with
`$ ` are commands, the lines after one are what it prints. In a block of the language
`sh`, a command with a comment `# prints TEXT` is one, too; what it says on standard
error is not compared. A block whose language is followed by `file=NAME` is the content
of a file. Others are only to be read.
"""

import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS = 1800

# Chapters whose commands build things, in a clone of the repository.
FOLLOWED_BY_NEWCOMERS = ["getting-started.md", "c-api.md"]


class Wrong(Exception):
    """A block that does not do what it says."""


def blocks(path):
    """The fenced blocks of a file: line, language, attributes, text."""
    found = []
    opened = None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        fence = re.match(r"```(.*)$", line.rstrip("\n"))
        if fence and opened is None:
            language, _, rest = fence.group(1).partition(",")
            attributes = dict(part.partition("=")[::2] for part in rest.split(",") if part)
            opened = (number, language, attributes, [])
        elif fence:
            number, language, attributes, lines = opened
            found.append((number, language, attributes, "".join(lines)))
            opened = None
        elif opened is not None:
            opened[3].append(line)
    if opened is not None:
        raise Wrong(f"{path}:{opened[0]}: a block that does not end")
    return found


def session(text):
    """The commands of a session with what they print."""
    commands = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append([line[2:], ""])
        elif commands:
            commands[-1][1] += line + "\n"
        else:
            raise Wrong(f"a session begins with a command, not with {line!r}")
    return commands


def follow(path, folder, environment):
    """Writes the files and runs the commands of a Markdown file, in `folder`.

    Returns how many commands were run, and what is wrong with them.
    """
    count, wrong = 0, []
    for number, language, attributes, text in blocks(path):
        if "file" in attributes:
            target = os.path.join(folder, attributes["file"])
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
        if language == "console":
            commands, stderr = session(text), subprocess.STDOUT
        elif language == "sh":
            found = re.findall(r"^(.*?) +# prints (.*)$", text, re.MULTILINE)
            commands, stderr = [(command, printed + "\n") for command, printed in found], None
        else:
            continue
        for command, expected in commands:
            count += 1
            problem = run(command, expected, folder, environment, stderr)
            if problem:
                wrong.append(f"{os.path.relpath(path, ROOT)}:{number}: `{command}` {problem}")
    return count, wrong


def run(command, expected, folder, environment, stderr):
    """Runs a command; what is wrong with what it prints, if anything."""
    try:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"did not end in {SECONDS} seconds"
    if done.stdout != expected:
        return f"printed\n{done.stdout}instead of\n{expected}"
    return None
