"""Finds the crate of a mangled Rust symbol, without demangling all of it.

Both manglings are read: v0 (`_R...`), where the path of the function leads to
a crate root, and the older one (`_ZN...`), where the first word of the path is
the crate's name. A generic function counts for the crate that defines it, not
for the one that made the instance.

In a v0 symbol the method of an impl block is found in the crate of the block.
The older mangling does not record that crate; there `<Type as Trait>::method`
counts for the crate of the type or, when that is no path, of the trait.
"""

import re

ESCAPES = {"LT": "<", "GT": ">", "BP": "*", "RF": "&", "LP": "(", "RP": ")", "C": ",", "u20": " "}
LEGACY = re.compile(r"_ZN(\d+)")
PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?=::)")


def crate_of(symbol):
    """The name of the crate that defines the function or static, or None if it is not Rust's.

    >>> crate_of("_ZN4core3fmt5write17h0123456789abcdefE")
    'core'
    >>> crate_of("_ZN62_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE")
    'alloc'
    >>> crate_of("_ZN44_$LT$$RF$T$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE")
    'core'
    >>> crate_of("_RNvNtCs123_5zwasm6module6decode")
    'zwasm'
    >>> crate_of("_RINvMNtCsgEmfK2I1SDS_4core5sliceSh11copy_withinINtNtNtB5_3ops5range14RangeInclusivejEECsfEOYDRpO4Ta_11miniz_oxide")
    'core'
    >>> crate_of("_RNvXs_NtCs1_5alloc3vecINtB4_3VechENtNtCs2_4core3fmt5Debug3fmt")
    'alloc'
    >>> crate_of("_RNvYINtNtCs1_5alloc3vec3VechENtNtCs2_4core4iter8Iterator3map")
    'core'
    >>> crate_of("memcpy") is None
    True
    """
    if symbol.startswith("_R"):
        try:
            return V0(symbol[2:]).crate()
        except (ValueError, IndexError, RecursionError):
            return None
    legacy = LEGACY.match(symbol)
    if not legacy:
        return None
    length = int(legacy.group(1))
    word = symbol[legacy.end() : legacy.end() + length]
    return legacy_crate(word)


def legacy_crate(word):
    """The crate named first in the first word of an older symbol's path."""
    if re.fullmatch(r"\w+", word) and not word.startswith("_$"):
        return word
    plain = re.sub(r"\$(\w+?)\$", lambda m: ESCAPES.get(m.group(1), " "), word).replace("..", "::")
    # Only the part before ` as ` when the type is a path, as in <a::B<c::D> as e::F>.
    found = PATH.search(plain)
    return found.group() if found else None


class V0:
    """A reader of the v0 mangling (RFC 2603), which looks for one crate root."""

    def __init__(self, text):
        # Old symbols of later versions of the scheme carry its number first.
        self.text = text.lstrip("0123456789")
        self.at = 0

    def crate(self):
        return self.path()

    def next(self):
        char = self.text[self.at]
        self.at += 1
        return char

    def eat(self, char):
        found = self.text[self.at : self.at + 1] == char
        self.at += found
        return found

    def base62(self):
        """`_` is 0, `0_` is 1, and so on."""
        end = self.text.index("_", self.at)
        digits = self.text[self.at : end]
        self.at = end + 1
        number = 0
        for char in digits:
            number = number * 62 + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".index(char)
        return number + 1 if digits else 0

    def disambiguator(self):
        if self.eat("s"):
            self.base62()

    def identifier(self):
        self.disambiguator()
        self.eat("u")
        # An empty name is one `0`, and the digits after it belong to the next name.
        digits = re.compile("0|[1-9][0-9]*").match(self.text, self.at)
        if not digits:
            raise ValueError("a name must begin with its length")
        length = int(digits.group())
        self.at = digits.end()
        self.eat("_")
        name = self.text[self.at : self.at + length]
        self.at += length
        return name

    def backref(self, read):
        """Reads what stands at an earlier position, then goes on here."""
        target = self.base62()
        here = self.at
        if target >= here:
            raise ValueError("a back reference must point back")
        self.at = target
        result = read()
        self.at = here
        return result

    def path(self):
        """Reads a path and gives its crate."""
        tag = self.next()
        if tag == "C":
            return self.identifier()
        if tag == "N":
            self.next()
            crate = self.path()
            self.identifier()
        elif tag == "I":
            crate = self.path()
            self.until_end(self.generic)
        elif tag in "MX":
            self.disambiguator()
            crate = self.path()
            self.type()
            if tag == "X":
                self.path()
        elif tag == "Y":
            self.type()
            crate = self.path()
        elif tag == "B":
            crate = self.backref(self.path)
        else:
            raise ValueError(f"unknown path {tag!r}")
        return crate

    def until_end(self, read):
        while not self.eat("E"):
            read()

    def generic(self):
        if self.eat("L"):
            self.base62()
        elif self.eat("K"):
            self.constant()
        else:
            self.type()

    def type(self):
        tag = self.next()
        if tag.islower():
            return
        if tag in "RQ":
            if self.eat("L"):
                self.base62()
            self.type()
        elif tag in "POS":
            self.type()
        elif tag == "A":
            self.type()
            self.constant()
        elif tag == "T":
            self.until_end(self.type)
        elif tag == "F":
            self.binder()
            self.eat("U")
            if self.eat("K") and not self.eat("C"):
                self.identifier()
            self.until_end(self.type)
            self.type()
        elif tag == "D":
            self.binder()
            self.until_end(self.bound)
            if self.eat("L"):
                self.base62()
        elif tag == "B":
            self.backref(self.type)
        else:
            self.at -= 1
            self.path()

    def binder(self):
        if self.eat("G"):
            self.base62()

    def bound(self):
        """A trait of a `dyn` type with its associated types."""
        self.path()
        while self.eat("p"):
            self.identifier()
            self.type()

    def constant(self):
        tag = self.next()
        if tag == "B":
            self.backref(self.constant)
        elif tag in "RQ":
            self.constant()
        elif tag in "AT":
            self.until_end(self.constant)
        elif tag == "V":
            self.fields()
        elif tag != "p":
            self.at = self.text.index("_", self.at) + 1

    def fields(self):
        """The value of a struct or enum constant: a path and its fields."""
        self.path()
        kind = self.next()
        if kind == "T":
            self.until_end(self.constant)
        elif kind == "S":
            self.until_end(self.field)

    def field(self):
        self.identifier()
        self.constant()
