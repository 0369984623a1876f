"""Figures in texts: the table of them, and the marks between which they stand."""

import re

MARK = re.compile(r"(<!-- figure:([^ ]*) -->)(.*?)(<!-- / -->)", re.DOTALL)
# What looks like the beginning or the end of a mark.
HALF = re.compile(r"<!--\s*(?:figure\b|/)")


def read_figures(lines):
    """The values by name, and what is wrong with the lines.

    >>> read_figures(["# comment", "", "a.b\\t1\\tx", "c\\t2 MB\\ty"])
    ({'a.b': '1', 'c': '2 MB'}, [])
    >>> read_figures(["a\\t1\\tx", "a\\t2\\tx", "b\\t3", "c d\\t4\\tx", "e\\t\\tx"])[1]
    ["2: 'a' twice", '3: not NAME, VALUE, SOURCE', '4: not NAME, VALUE, SOURCE', '5: not NAME, VALUE, SOURCE']
    """
    figures, wrong = {}, []
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not all(fields) or not re.fullmatch(r"[\w.-]+", fields[0]):
            wrong.append(f"{number}: not NAME, VALUE, SOURCE")
        elif fields[0] in figures:
            wrong.append(f"{number}: '{fields[0]}' twice")
        else:
            figures[fields[0]] = fields[1]
    return figures, wrong


def fill(text, figures):
    """The text with its figures, the names used, and what is wrong: line and what.

    >>> fill("x <!-- figure:a -->1<!-- / --> y", {"a": "2"})
    ('x <!-- figure:a -->2<!-- / --> y', {'a'}, [(1, "'a' is 1, not 2")])
    >>> fill("<!-- figure:a -->2<!-- / -->", {"a": "2"})
    ('<!-- figure:a -->2<!-- / -->', {'a'}, [])
    >>> fill("\\n<!-- figure:b -->2<!-- / -->", {})[2]
    [(2, "no figure 'b'")]
    >>> fill("<!-- figure:a -->\\n<!-- figure:a -->2<!-- / --><!-- / -->", {"a": "2"})[2]
    [(1, 'a mark without its other half'), (2, 'a mark without its other half')]
    >>> fill("<!--figure:a-->2<!-- / -->", {"a": "2"})[2]
    [(1, 'a mark without its other half')]
    """
    used, wrong = set(), []

    def line(at):
        return text.count("\n", 0, at) + 1

    def replace(mark):
        start, name, value, end = mark.groups()
        if HALF.search(value):
            return mark.group()
        if name not in figures:
            wrong.append((line(mark.start()), f"no figure '{name}'"))
            return mark.group()
        used.add(name)
        if value != figures[name]:
            wrong.append((line(mark.start()), f"'{name}' is {value}, not {figures[name]}"))
        return start + figures[name] + end

    filled = MARK.sub(replace, text)
    whole = [mark.span() for mark in MARK.finditer(text) if not HALF.search(mark.group(3))]
    for half in HALF.finditer(text):
        if not any(start <= half.start() < end for start, end in whole):
            wrong.append((line(half.start()), "a mark without its other half"))
    return filled, used, sorted(set(wrong))
