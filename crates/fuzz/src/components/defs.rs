//! The types of a case as definitions of a component, each after those it is made of.
//!
//! What a component imports or exports may use types with named parts only under a name
//! that is imported or exported itself. So each component of a case imports or exports
//! them, in this order, and says the others anew over them.

use super::ty::Ty;
use std::fmt::Write;

/// A definition: its text, in which a number between `{` and `}` names another one.
struct Def {
    text: String,
    /// Whether its parts have names.
    named: bool,
}

/// Definitions in order.
#[derive(Default)]
pub struct Defs(Vec<Def>);

/// How a component gets a type with named parts.
#[derive(Clone, Copy, PartialEq)]
pub enum How {
    /// It defines and exports it.
    Export,
    /// It imports it.
    Import,
    /// It is within the type of an instance that exports it.
    Within,
}

impl Defs {
    /// The text that names a type, with everything defined that it needs.
    pub fn add(&mut self, ty: &Ty) -> String {
        let list = |defs: &mut Self, types: &[Ty]| {
            types.iter().map(|ty| format!(" {}", defs.add(ty))).collect::<String>()
        };
        let (text, named) = match ty {
            Ty::Bool => return "bool".into(),
            Ty::S8 => return "s8".into(),
            Ty::U8 => return "u8".into(),
            Ty::S16 => return "s16".into(),
            Ty::U16 => return "u16".into(),
            Ty::S32 => return "s32".into(),
            Ty::U32 => return "u32".into(),
            Ty::S64 => return "s64".into(),
            Ty::U64 => return "u64".into(),
            Ty::F32 => return "f32".into(),
            Ty::F64 => return "f64".into(),
            Ty::Char => return "char".into(),
            Ty::String => return "string".into(),
            Ty::List(ty) => (format!("(list {})", self.add(ty)), false),
            Ty::Fixed(ty, length) => (format!("(list {} {length})", self.add(ty)), false),
            Ty::Map(key, value) => (format!("(map {} {})", self.add(key), self.add(value)), false),
            Ty::Tuple(types) => (format!("(tuple{})", list(self, types)), false),
            Ty::Option(ty) => (format!("(option {})", self.add(ty)), false),
            Ty::Result(ok, err) => {
                let ok = ok.as_ref().map(|ty| format!(" {}", self.add(ty))).unwrap_or_default();
                let err = err.as_ref().map(|ty| format!(" (error {})", self.add(ty)));
                (format!("(result{ok}{})", err.unwrap_or_default()), false)
            }
            Ty::Record(fields) => {
                let mut text = "(record".to_string();
                for (at, ty) in fields.iter().enumerate() {
                    let ty = self.add(ty);
                    let _ = write!(text, " (field \"f{at}\" {ty})");
                }
                (text + ")", true)
            }
            Ty::Variant(cases) => {
                let mut text = "(variant".to_string();
                for (at, ty) in cases.iter().enumerate() {
                    let ty = ty.as_ref().map(|ty| format!(" {}", self.add(ty)));
                    let _ = write!(text, " (case \"c{at}\"{})", ty.unwrap_or_default());
                }
                (text + ")", true)
            }
            Ty::Enum(count) => {
                let names: String = (0..*count).map(|at| format!(" \"c{at}\"")).collect();
                (format!("(enum{names})"), true)
            }
            Ty::Flags(count) => {
                let names: String = (0..*count).map(|at| format!(" \"b{at}\"")).collect();
                (format!("(flags{names})"), true)
            }
        };
        let at = match self.0.iter().position(|def| def.text == text) {
            Some(at) => at,
            None => {
                self.0.push(Def { text, named });
                self.0.len() - 1
            }
        };
        format!("{{{at}}}")
    }

    /// The definitions within a component, whose names begin with `prefix`.
    pub fn write(&self, prefix: &str, how: How) -> String {
        let mut text = String::new();
        for (at, Def { text: def, named }) in self.0.iter().enumerate() {
            let def = named_with(def, prefix);
            // Writing to a String cannot fail.
            let _ = match (named, how) {
                (false, _) => writeln!(text, "(type ${prefix}{at} {def})"),
                (true, How::Export) => writeln!(
                    text,
                    "(type $l{prefix}{at} {def}) (export ${prefix}{at} \"t{at}\" (type $l{prefix}{at}))"
                ),
                (true, How::Import) => writeln!(
                    text,
                    "(type $l{prefix}{at} {def}) (import \"t{at}\" (type ${prefix}{at} (eq $l{prefix}{at})))"
                ),
                (true, How::Within) => writeln!(
                    text,
                    "(type $l{prefix}{at} {def}) (export \"t{at}\" (type ${prefix}{at} (eq $l{prefix}{at})))"
                ),
            };
        }
        text
    }

    /// Exports what was imported under `from`, and names it with `prefix`.
    pub fn write_again(&self, from: &str, prefix: &str) -> String {
        let mut text = String::new();
        for (at, Def { text: def, named }) in self.0.iter().enumerate() {
            let _ = match named {
                true => writeln!(text, "(export ${prefix}{at} \"t{at}\" (type ${from}{at}))"),
                false => writeln!(text, "(type ${prefix}{at} {})", named_with(def, prefix)),
            };
        }
        text
    }

    /// The arguments that give an instantiation the types that `instance` exports.
    pub fn arguments(&self, instance: &str) -> String {
        let named = self.0.iter().enumerate().filter(|(_, def)| def.named);
        named.fold(String::new(), |mut text, (at, _)| {
            let _ = write!(text, " (with \"t{at}\" (type {instance} \"t{at}\"))");
            text
        })
    }
}

/// A text with its numbers made names.
pub fn named_with(text: &str, prefix: &str) -> String {
    text.replace('{', &format!("${prefix}")).replace('}', "")
}
