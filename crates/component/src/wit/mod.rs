//! Types as WIT writes them: of single functions for messages, of whole components for
//! whoever wants to know what one needs and offers (`text`, `json`).
//!
//! Types are equal where they look equal, so a name belongs to all types that look like
//! the one it was given to. Records, variants, enums and flags, which WIT cannot write
//! without a name, are called by the first name that their interface, or one before it,
//! gives them; all others are always written out. Where there is no name at all, such a
//! type is written as its definition would be.
//!
//! A few hundred bytes of types can be written out to no end, each made of the one
//! before it twice. So there is a limit on the length of what is written.
//!
//! Specification: Component Model, WIT.

mod json;
mod text;

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

pub use json::{Style, json};
pub use text::text;

use crate::ResourceType;
use crate::types::{ComponentFunc, ComponentItem, Type, TypeIndex};

/// Bytes of a text about one component, and of one about a single type.
const MAX_TEXT: usize = 16 << 20;
const MAX_LINE: usize = 4096;

/// How deeply types are written out.
const MAX_DEPTH: usize = 100;

/// What has a name of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Type(TypeIndex),
    Resource(ResourceType),
}

impl Key {
    /// What names a type, if it is one that WIT cannot write without.
    fn of(ty: &Type) -> Option<Key> {
        match ty {
            Type::Record(_) | Type::Variant(_) | Type::Enum(_) | Type::Flags(_) => {
                ty.index().map(Key::Type)
            }
            _ => None,
        }
    }
}

/// The names of types that a place knows.
trait Names {
    fn name(&mut self, key: Key) -> Option<String>;
}

/// A place that knows none.
struct NoNames;

impl Names for NoNames {
    fn name(&mut self, _: Key) -> Option<String> {
        None
    }
}

/// The names that an interface gives types.
pub(crate) struct Interface(HashMap<Key, String>);

impl Interface {
    /// The names among what an interface exports.
    pub(crate) fn new<'a>(exports: impl Iterator<Item = (&'a str, ComponentItem)>) -> Interface {
        let mut names = HashMap::new();
        for (name, item) in exports {
            let key = match item {
                ComponentItem::Type(ty) => Key::of(&ty),
                ComponentItem::Resource(resource) => Some(Key::Resource(resource)),
                _ => None,
            };
            if let Some(key) = key {
                names.entry(key).or_insert_with(|| identifier(name));
            }
        }
        Interface(names)
    }

    /// A function of the interface: `func(a: u32) -> person`.
    pub(crate) fn func(&mut self, ty: &ComponentFunc) -> String {
        let mut writer = Writer::new(self, MAX_LINE);
        writer.func(ty, Form::Function);
        writer.finish()
    }
}

impl Names for Interface {
    fn name(&mut self, key: Key) -> Option<String> {
        self.0.get(&key).cloned()
    }
}

/// A function type on its own: `func(a: u32) -> string`.
pub(crate) fn func_text(ty: &ComponentFunc) -> String {
    let mut names = NoNames;
    let mut writer = Writer::new(&mut names, MAX_LINE);
    writer.func(ty, Form::Function);
    writer.finish()
}

impl Display for ComponentFunc {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&func_text(self))
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut names = NoNames;
        let mut writer = Writer::new(&mut names, MAX_LINE);
        writer.ty(self);
        f.write_str(&writer.finish())
    }
}

/// What kind of thing it is, with the type of a function.
impl Display for ComponentItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ComponentItem::ComponentFunc(func) => func.fmt(f),
            ComponentItem::CoreFunc(func) => {
                write!(f, "core {}", zwasm::ExternType::Func(func.clone()))
            }
            ComponentItem::Module(_) => f.write_str("core module"),
            ComponentItem::Component(_) => f.write_str("component"),
            ComponentItem::ComponentInstance(_) => f.write_str("interface"),
            ComponentItem::Type(ty) => write!(f, "type {ty}"),
            ComponentItem::Resource(_) => f.write_str("resource"),
        }
    }
}

/// How a function stands where it is declared.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Function,
    /// The first parameter is the resource, which goes without saying.
    Method,
    Static,
    /// The result is the resource, unless it can fail.
    Constructor,
}

/// Writes types, as long as there is room.
struct Writer<'a> {
    names: &'a mut dyn Names,
    text: String,
    limit: usize,
    depth: usize,
}

impl<'a> Writer<'a> {
    fn new(names: &'a mut dyn Names, limit: usize) -> Writer<'a> {
        Writer { names, text: String::new(), limit, depth: 0 }
    }

    fn is_full(&self) -> bool {
        self.text.len() >= self.limit
    }

    /// The text; what there was no room for is an ellipsis.
    fn finish(mut self) -> String {
        if self.is_full() {
            self.text.push('…');
        }
        self.text
    }

    fn word(&mut self, word: &str) {
        if !self.is_full() {
            self.text.push_str(word);
        }
    }

    /// Items with commas between them.
    fn list<I>(&mut self, items: impl Iterator<Item = I>, mut each: impl FnMut(&mut Self, I)) {
        for (at, item) in items.enumerate() {
            if self.is_full() {
                return;
            }
            if at > 0 {
                self.word(", ");
            }
            each(self, item);
        }
    }

    /// A type: its name if it has one.
    fn ty(&mut self, ty: &Type) {
        match Key::of(ty).and_then(|key| self.names.name(key)) {
            Some(name) => self.word(&name),
            None => self.definition(ty),
        }
    }

    fn resource(&mut self, resource: ResourceType) {
        let name = self.names.name(Key::Resource(resource));
        self.word(name.as_deref().unwrap_or("resource"));
    }

    /// A type that may be of another.
    fn optionally(&mut self, name: &str, ty: Option<Type>) {
        match ty {
            Some(ty) => self.applied(name, &[ty]),
            None => self.word(name),
        }
    }

    /// A type, written out.
    fn definition(&mut self, ty: &Type) {
        if self.depth == MAX_DEPTH {
            return self.word("…");
        }
        self.depth += 1;
        match ty {
            Type::Bool => self.word("bool"),
            Type::S8 => self.word("s8"),
            Type::U8 => self.word("u8"),
            Type::S16 => self.word("s16"),
            Type::U16 => self.word("u16"),
            Type::S32 => self.word("s32"),
            Type::U32 => self.word("u32"),
            Type::S64 => self.word("s64"),
            Type::U64 => self.word("u64"),
            Type::Float32 => self.word("f32"),
            Type::Float64 => self.word("f64"),
            Type::Char => self.word("char"),
            Type::String => self.word("string"),
            Type::Own(resource) => self.resource(*resource),
            Type::Borrow(resource) => {
                self.word("borrow<");
                self.resource(*resource);
                self.word(">");
            }
            Type::List(list) => self.applied("list", &[list.ty()]),
            Type::FixedLengthList(list) => {
                self.word("list<");
                self.ty(&list.ty());
                self.word(&format!(", {}>", list.len()));
            }
            Type::Map(map) => self.applied("map", &[map.key(), map.value()]),
            Type::Stream(stream) => self.optionally("stream", stream.ty()),
            Type::Future(future) => self.optionally("future", future.ty()),
            Type::ErrorContext => self.word("error-context"),
            Type::Option(option) => self.applied("option", &[option.ty()]),
            Type::Tuple(tuple) => {
                self.word("tuple<");
                self.list(tuple.types(), |this, ty| this.ty(&ty));
                self.word(">");
            }
            Type::Result(result) => match (result.ok(), result.err()) {
                (None, None) => self.word("result"),
                (Some(ok), None) => self.applied("result", &[ok]),
                (Some(ok), Some(err)) => self.applied("result", &[ok, err]),
                (None, Some(err)) => {
                    self.word("result<_, ");
                    self.ty(&err);
                    self.word(">");
                }
            },
            Type::Record(record) => {
                self.word("record { ");
                self.list(record.fields(), |this, field| this.field(field.name, &field.ty));
                self.word(" }");
            }
            Type::Variant(variant) => {
                self.word("variant { ");
                self.list(variant.cases(), |this, case| this.case(case.name, case.ty.as_ref()));
                self.word(" }");
            }
            Type::Enum(names) => {
                self.word("enum { ");
                self.list(names.names(), |this, name| this.word(&identifier(name)));
                self.word(" }");
            }
            Type::Flags(names) => {
                self.word("flags { ");
                self.list(names.names(), |this, name| this.word(&identifier(name)));
                self.word(" }");
            }
        }
        self.depth -= 1;
    }

    fn applied(&mut self, name: &str, types: &[Type]) {
        self.word(name);
        self.word("<");
        self.list(types.iter(), |this, ty| this.ty(ty));
        self.word(">");
    }

    fn field(&mut self, name: &str, ty: &Type) {
        self.word(&identifier(name));
        self.word(": ");
        self.ty(ty);
    }

    fn case(&mut self, name: &str, ty: Option<&Type>) {
        self.word(&identifier(name));
        if let Some(ty) = ty {
            self.word("(");
            self.ty(ty);
            self.word(")");
        }
    }

    /// The type of a function, with the word that says what it is.
    fn func(&mut self, ty: &ComponentFunc, form: Form) {
        if ty.async_() {
            self.word("async ");
        }
        self.word(match form {
            Form::Function | Form::Method => "func(",
            Form::Static => "static func(",
            Form::Constructor => "constructor(",
        });
        let skipped = usize::from(form == Form::Method);
        self.list(ty.params().skip(skipped), |this, (name, ty)| this.field(name, &ty));
        self.word(")");
        let result = ty.results().next();
        if let Some(result) = result
            && !(form == Form::Constructor && matches!(result, Type::Own(_)))
        {
            self.word(" -> ");
            self.ty(&result);
        }
    }
}

/// A name of the model as an identifier of WIT, which has words of its own.
fn identifier(name: &str) -> String {
    match RESERVED.binary_search(&name) {
        Ok(_) => format!("%{name}"),
        Err(_) => name.escape_debug().to_string(),
    }
}

/// The words that WIT has a meaning for, sorted.
const RESERVED: &[&str] = &[
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];
