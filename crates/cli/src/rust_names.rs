//! Rust's scheme of names, called v0 (RFC 2603).
//!
//! A name is a tree written from the root on, in which parts may refer back to others. Such
//! references make short names long, so that depth and length have bounds. Hashes of crates
//! and lifetimes are left out.

/// Parts within parts.
const MAX_DEPTH: usize = 96;

/// Bytes of a name as shown.
const MAX_LENGTH: usize = 2048;

/// Steps of reading a name.
const MAX_STEPS: usize = 20_000;

/// The name that is encoded, without the `_R` before it.
pub fn read(encoded: &str) -> Option<String> {
    let mut reader =
        Reader { text: encoded.as_bytes(), at: 0, out: String::new(), depth: 0, steps: 0 };
    reader.path(true)?;
    Some(reader.out)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    out: String,
    depth: usize,
    steps: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Whether the next byte is this one, which is then behind.
    fn eat(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn print(&mut self, text: &str) -> Option<()> {
        (self.out.len() + text.len() <= MAX_LENGTH).then(|| self.out.push_str(text))
    }

    /// A number of base 62 that ends with `_`.
    fn number(&mut self) -> Option<u64> {
        if self.eat(b'_') {
            return Some(0);
        }
        let mut number = 0_u64;
        loop {
            let digit = match self.next()? {
                b'_' => return number.checked_add(1),
                digit @ b'0'..=b'9' => digit - b'0',
                digit @ b'a'..=b'z' => digit - b'a' + 10,
                digit @ b'A'..=b'Z' => digit - b'A' + 36,
                _ => return None,
            };
            number = number.checked_mul(62)?.checked_add(digit.into())?;
        }
    }

    /// A number behind a letter, if that is there; 0 if not, else one more.
    fn optional(&mut self, letter: u8) -> Option<u64> {
        if self.eat(letter) { self.number()?.checked_add(1) } else { Some(0) }
    }

    /// An identifier, and which of those with its name.
    fn identifier(&mut self) -> Option<(&'a str, u64)> {
        let which = self.optional(b's')?;
        // Names beyond ASCII are shown as they are encoded.
        self.eat(b'u');
        let mut length = 0_usize;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            length = length.checked_mul(10)?.checked_add((digit - b'0').into())?;
            self.at += 1;
            if length == 0 {
                break;
            }
        }
        self.eat(b'_');
        let text = self.text.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some((std::str::from_utf8(text).ok()?, which))
    }

    /// Reads a part that was read before, where a reference leads.
    fn again(&mut self, read: fn(&mut Self) -> Option<()>) -> Option<()> {
        let before = self.at - 1;
        let target = usize::try_from(self.number()?).ok().filter(|target| *target < before)?;
        let behind = std::mem::replace(&mut self.at, target);
        read(self)?;
        self.at = behind;
        Some(())
    }

    /// Goes a part deeper.
    fn within(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.steps += 1;
        if self.depth >= MAX_DEPTH || self.steps > MAX_STEPS {
            return None;
        }
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Some(())
    }

    fn path(&mut self, is_value: bool) -> Option<()> {
        self.within(|reader| reader.path_of(is_value))
    }

    fn path_of(&mut self, is_value: bool) -> Option<()> {
        match self.next()? {
            b'C' => {
                let (name, _) = self.identifier()?;
                self.print(name)
            }
            b'N' => {
                let space = self.next()?;
                self.path(is_value)?;
                let (name, which) = self.identifier()?;
                match space {
                    b'C' => self.print(&format!("::{{closure#{which}}}")),
                    b'S' => self.print(&format!("::{{shim:{name}#{which}}}")),
                    b'A'..=b'Z' => self.print(&format!("::{{{name}#{which}}}")),
                    _ if name.is_empty() => Some(()),
                    _ => self.print("::").and_then(|()| self.print(name)),
                }
            }
            kind @ (b'M' | b'X' | b'Y') => {
                if kind != b'Y' {
                    // Where the block is says nothing that the type does not.
                    self.optional(b's')?;
                    let length = self.out.len();
                    self.path(false)?;
                    self.out.truncate(length);
                }
                self.print("<")?;
                self.ty()?;
                if kind != b'M' {
                    self.print(" as ")?;
                    self.path(false)?;
                }
                self.print(">")
            }
            b'I' => {
                self.path(is_value)?;
                self.print(if is_value { "::<" } else { "<" })?;
                let mut first = true;
                while !self.eat(b'E') {
                    if self.eat(b'L') {
                        self.number()?;
                        continue;
                    }
                    if !std::mem::take(&mut first) {
                        self.print(", ")?;
                    }
                    if self.eat(b'K') { self.constant()? } else { self.ty()? }
                }
                self.print(">")
            }
            b'B' if is_value => self.again(|reader| reader.path(true)),
            b'B' => self.again(|reader| reader.path(false)),
            _ => None,
        }
    }

    fn ty(&mut self) -> Option<()> {
        self.within(Self::ty_of)
    }

    fn ty_of(&mut self) -> Option<()> {
        let tag = self.next()?;
        if let Some((_, name)) = BASIC.iter().find(|(letter, _)| *letter == tag) {
            return self.print(name);
        }
        match tag {
            b'A' => {
                self.print("[")?;
                self.ty()?;
                self.print("; ")?;
                self.constant()?;
                self.print("]")
            }
            b'S' => {
                self.print("[")?;
                self.ty()?;
                self.print("]")
            }
            b'T' => {
                self.print("(")?;
                let count = self.types()?;
                self.print(if count == 1 { ",)" } else { ")" })
            }
            b'R' | b'Q' => {
                if self.eat(b'L') {
                    self.number()?;
                }
                self.print(if tag == b'R' { "&" } else { "&mut " })?;
                self.ty()
            }
            b'P' | b'O' => {
                self.print(if tag == b'P' { "*const " } else { "*mut " })?;
                self.ty()
            }
            b'F' => self.function(),
            b'D' => self.object(),
            b'B' => self.again(Self::ty),
            _ => {
                self.at -= 1;
                self.path(false)
            }
        }
    }

    /// Types up to an end; their number.
    fn types(&mut self) -> Option<usize> {
        let mut count = 0;
        while !self.eat(b'E') {
            if count > 0 {
                self.print(", ")?;
            }
            self.ty()?;
            count += 1;
        }
        Some(count)
    }

    fn function(&mut self) -> Option<()> {
        self.optional(b'G')?;
        if self.eat(b'U') {
            self.print("unsafe ")?;
        }
        if self.eat(b'K') {
            let abi = if self.eat(b'C') { "C" } else { self.identifier()?.0 };
            self.print(&format!("extern \"{}\" ", abi.replace('_', "-")))?;
        }
        self.print("fn(")?;
        self.types()?;
        self.print(")")?;
        if self.eat(b'u') {
            return Some(());
        }
        self.print(" -> ")?;
        self.ty()
    }

    fn object(&mut self) -> Option<()> {
        self.optional(b'G')?;
        self.print("dyn ")?;
        let mut first = true;
        while !self.eat(b'E') {
            if !std::mem::take(&mut first) {
                self.print(" + ")?;
            }
            self.path(false)?;
            while self.eat(b'p') {
                let (name, _) = self.identifier()?;
                self.print(&format!("<{name} = "))?;
                self.ty()?;
                self.print(">")?;
            }
        }
        // The lifetime.
        if self.eat(b'L') { self.number().map(|_| ()) } else { None }
    }

    fn constant(&mut self) -> Option<()> {
        self.within(Self::constant_of)
    }

    fn constant_of(&mut self) -> Option<()> {
        match self.next()? {
            b'p' => self.print("_"),
            b'B' => self.again(Self::constant),
            ty => {
                let sign = if self.eat(b'n') { "-" } else { "" };
                let start = self.at;
                while self.next()? != b'_' {}
                let digits = std::str::from_utf8(&self.text[start..self.at - 1]).ok()?;
                let value = u64::from_str_radix(digits, 16).ok();
                let text = match (ty, value) {
                    (b'b', Some(0)) => "false".into(),
                    (b'b', Some(1)) => "true".into(),
                    (b'c', Some(code)) => {
                        let character = char::from_u32(u32::try_from(code).ok()?)?;
                        format!("{character:?}")
                    }
                    (_, Some(value)) => format!("{sign}{value}"),
                    (_, None) => format!("{sign}0x{digits}"),
                };
                self.print(&text)
            }
        }
    }
}

const BASIC: [(u8, &str); 21] = [
    (b'a', "i8"),
    (b'b', "bool"),
    (b'c', "char"),
    (b'd', "f64"),
    (b'e', "str"),
    (b'f', "f32"),
    (b'h', "u8"),
    (b'i', "isize"),
    (b'j', "usize"),
    (b'l', "i32"),
    (b'm', "u32"),
    (b'n', "i128"),
    (b'o', "u128"),
    (b'p', "_"),
    (b's', "i16"),
    (b't', "u16"),
    (b'u', "()"),
    (b'v', "..."),
    (b'x', "i64"),
    (b'y', "u64"),
    (b'z', "!"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("NvCs1234_7mycrate3foo", "mycrate::foo"),
            ("NvNtCs1234_7mycrate3bar3foo", "mycrate::bar::foo"),
            ("NCNvCs1234_7mycrate4main0B3_", "mycrate::main::{closure#0}"),
            ("NCNvCs1234_7mycrate4mains_0B3_", "mycrate::main::{closure#1}"),
            ("INvCs1234_7mycrate3foohE", "mycrate::foo::<u8>"),
            ("INvCs1234_7mycrate3fooReTlbEEB2_", "mycrate::foo::<&str, (i32, bool)>"),
            ("NvMCs1234_7mycrateNtB2_3Bar3foo", "<mycrate::Bar>::foo"),
            ("NvXCs1234_7mycrateNtB2_3BarNtB2_5Trait3foo", "<mycrate::Bar as mycrate::Trait>::foo"),
            ("NvYNtCs1234_7mycrate3BarNtB4_5Trait3foo", "<mycrate::Bar as mycrate::Trait>::foo"),
            ("INvC7mycrate3fooKj2a_Kb1_E", "mycrate::foo::<42, true>"),
            ("INvC7mycrate3fooAhj4_E", "mycrate::foo::<[u8; 4]>"),
            ("INvC7mycrate3fooFUKClEuE", "mycrate::foo::<unsafe extern \"C\" fn(i32)>"),
            ("INvC7mycrate3fooDNtB2_2TrEL_E", "mycrate::foo::<dyn mycrate::Tr>"),
        ] {
            assert_eq!(read(name).unwrap_or_default(), expected, "{name}");
        }
    }

    #[test]
    fn nonsense() {
        for name in [
            "",
            "N",
            "C",
            "NvC",
            "C99a",
            "B_",
            "NvB_3foo",
            "INvC1a1bE",
            "C99999999999999999999999a",
        ] {
            let _ = read(name);
        }
        // Deep, and each level twice as long as the one below.
        assert_eq!(read(&"Nv".repeat(10_000)), None);
        let mut bomb = String::from("INvC1a1bTTTTTTTTuu");
        for at in 0..40 {
            bomb.push_str(&format!("TB{}_B{}_E", at % 9, at % 9));
        }
        let _ = read(&bomb);
        let good = "NvXCs1234_7mycrateNtB2_3BarNtB2_5Trait3foo".as_bytes();
        for at in 0..good.len() {
            for byte in b"_BNCIMXYETKs09azZ" {
                let mut name = good.to_vec();
                name[at] = *byte;
                let _ = read(std::str::from_utf8(&name).unwrap());
            }
        }
    }
}
