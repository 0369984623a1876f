//! Calls as text: `name(arguments)`.
//!
//! A function of an interface may be called by the interface's whole name, by as much of
//! it as tells it from others, or by its own name alone:
//!
//! ```text
//! f(1)    interface.f(1)    ns:pkg/interface#f(1)    ns:pkg/interface@1.0.0#f(1)
//! ```
//!
//! The more is said, the more it counts: a name that more than one function has is a
//! mistake only if none of them is meant more clearly than the others.

use std::collections::HashSet;

use super::read::Reader;
use super::{Error, MAX_DEPTH};
use crate::Val;
use crate::types::{Component, ComponentFunc, ComponentItem, Type, TypeIndex};

/// A function that a component exports, or an interface that it exports.
pub struct Export {
    /// The names of the interfaces that it is in, with a `#` between them.
    interface: Option<String>,
    name: String,
    ty: ComponentFunc,
}

/// All functions that can be called from outside.
pub fn exports(component: &Component) -> Vec<Export> {
    let mut found = Vec::new();
    add(&mut found, None, component.exports(), 0);
    found
}

fn add<'a>(
    found: &mut Vec<Export>,
    interface: Option<&str>,
    items: impl Iterator<Item = (&'a str, ComponentItem)>,
    depth: usize,
) {
    for (name, item) in items {
        match item {
            ComponentItem::ComponentFunc(ty) => {
                found.push(Export::new(interface.map(str::to_owned), name.to_owned(), ty));
            }
            ComponentItem::ComponentInstance(instance) if depth < MAX_DEPTH => {
                let inner = interface.map_or(name.to_owned(), |outer| format!("{outer}#{name}"));
                add(found, Some(&inner), instance.exports(), depth + 1);
            }
            ComponentItem::ComponentInstance(_)
            | ComponentItem::CoreFunc(_)
            | ComponentItem::Module(_)
            | ComponentItem::Component(_)
            | ComponentItem::Type(_)
            | ComponentItem::Resource(_) => {}
        }
    }
}

/// How clearly a name means a function; the less, the clearer.
type Rank = u8;

impl Export {
    pub(super) fn new(interface: Option<String>, name: String, ty: ComponentFunc) -> Export {
        Export { interface, name, ty }
    }

    /// The whole name, by which an instance finds it.
    pub fn path(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The name in the interface.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The function's type.
    pub fn ty(&self) -> &ComponentFunc {
        &self.ty
    }

    /// Whether there is a text for what it returns: not if there is a handle to a resource
    /// in it, or it is nested too deeply.
    pub fn is_writable(&self) -> bool {
        let mut seen = HashSet::new();
        !self.ty.results().any(|ty| has_resource(&ty, &mut seen, 0))
    }

    /// How clearly a name means this function, if it does.
    fn rank(&self, name: &str) -> Option<Rank> {
        // `[static]resource.f` is `resource.f` for short.
        let short = self.name.split_once(']').map(|(_, short)| short);
        let own = [Some(self.name.as_str()), short];
        let Some(interface) = &self.interface else {
            return own
                .iter()
                .position(|own| *own == Some(name))
                .map(|at| if at == 0 { 0 } else { 3 });
        };
        if own.contains(&Some(name)) {
            return Some(3);
        }
        let (path, version) = match interface.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (interface.as_str(), None),
        };
        let last = path.rsplit('/').next().unwrap_or(path);
        let qualifier = |name: &'_ str| -> Option<usize> {
            let length = |own: &str| {
                let before = name.strip_suffix(own)?;
                before.strip_suffix('#').or_else(|| before.strip_suffix('.')).map(str::len)
            };
            own.into_iter().flatten().find_map(length)
        };
        if let Some(length) = qualifier(name) {
            let said = &name[..length];
            let (said_path, said_version) = match said.split_once('@') {
                Some((path, version)) => (path, Some(version)),
                None => (said, None),
            };
            if said == interface {
                return Some(1);
            }
            let version_fits = said_version.is_none() || said_version == version;
            if version_fits && (said_path == path || said_path == last) {
                return Some(2);
            }
        }
        // The version may stand behind all.
        let before = name.strip_suffix(version?)?.strip_suffix('@')?;
        let said = &before[..qualifier(before)?];
        (said == path || said == last).then_some(2)
    }
}

/// Whether a type has a resource in it, or more levels than are written.
fn has_resource(ty: &Type, seen: &mut HashSet<TypeIndex>, depth: usize) -> bool {
    if ty.index().is_some_and(|index| !seen.insert(index)) {
        return false;
    }
    if depth == MAX_DEPTH {
        return true;
    }
    let mut within = |ty: Type| has_resource(&ty, seen, depth + 1);
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Stream(_) | Type::Future(_) | Type::ErrorContext => {
            true
        }
        Type::Bool
        | Type::S8
        | Type::U8
        | Type::S16
        | Type::U16
        | Type::S32
        | Type::U32
        | Type::S64
        | Type::U64
        | Type::Float32
        | Type::Float64
        | Type::Char
        | Type::String
        | Type::Enum(_)
        | Type::Flags(_) => false,
        Type::List(list) => within(list.ty()),
        Type::FixedLengthList(list) => within(list.ty()),
        Type::Map(map) => within(map.key()) || within(map.value()),
        Type::Option(option) => within(option.ty()),
        Type::Result(result) => [result.ok(), result.err()].into_iter().flatten().any(within),
        Type::Tuple(tuple) => tuple.types().any(within),
        Type::Record(record) => record.fields().any(|field| within(field.ty)),
        Type::Variant(variant) => variant.cases().filter_map(|case| case.ty).any(within),
    }
}

/// Why a name means no function.
pub enum NotFound<'a> {
    /// None has it.
    Unknown,
    /// More than one has it.
    Ambiguous(Vec<&'a Export>),
}

/// A call as written.
pub struct Call<'a> {
    text: &'a str,
    name: &'a str,
    /// Where the arguments begin, if they do.
    args: Option<usize>,
}

impl<'a> Call<'a> {
    /// Reads a call as far as that goes without knowing types: the name, which may be
    /// all.
    ///
    /// # Errors
    ///
    /// If there is no name.
    pub fn parse(text: &'a str) -> Result<Call<'a>, Error> {
        let args = text.find('(');
        let name = text[..args.unwrap_or(text.len())].trim();
        match name {
            "" => Err(Error::new(text, 0, "expected the name of a function".into())),
            name => Ok(Call { text, name, args }),
        }
    }

    /// The name of the function.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether it has arguments, if only none of them: `()`.
    pub fn has_args(&self) -> bool {
        self.args.is_some()
    }

    /// The function that is meant.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one.
    pub fn find<'e>(&self, exports: &'e [Export]) -> Result<&'e Export, NotFound<'e>> {
        let ranked = |export: &'e Export| export.rank(self.name).map(|rank| (rank, export));
        let found: Vec<_> = exports.iter().filter_map(ranked).collect();
        let best = found.iter().map(|(rank, _)| *rank).min();
        let best: Vec<_> = found
            .iter()
            .filter(|(rank, _)| Some(*rank) == best)
            .map(|(_, export)| *export)
            .collect();
        match best[..] {
            [] => Err(NotFound::Unknown),
            [export] => Ok(export),
            _ => Err(NotFound::Ambiguous(best)),
        }
    }

    /// The arguments of a call of a function of this type; none if nothing is said. Options
    /// that are last may be left out.
    ///
    /// # Errors
    ///
    /// What was expected where.
    pub fn args(&self, ty: &ComponentFunc) -> Result<Vec<Val>, Error> {
        let types: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
        let start = self.args.unwrap_or(self.text.len());
        let mut values = Vec::new();
        let plural = if types.len() == 1 { "" } else { "s" };
        let wrong = |at: usize, got: String| {
            let (name, expected) = (self.name, types.len());
            let message = format!("'{name}' expects {expected} argument{plural}, got {got}");
            Error::new(self.text, at, message)
        };
        if self.args.is_some() {
            let mut reader = Reader::new(self.text, start);
            reader.list('(', ')', "'('", |reader, at| match types.get(values.len()) {
                Some(ty) => {
                    values.push(reader.value(ty)?);
                    Ok(())
                }
                None => Err(wrong(at, "more".into())),
            })?;
            reader.end()?;
        }
        let given = values.len();
        match complete(ty, &mut values) {
            true => Ok(values),
            false => Err(wrong(start, given.to_string())),
        }
    }
}

/// Adds the arguments that may be left out: options that are last. Whether that is all
/// that is missing.
pub fn complete(ty: &ComponentFunc, values: &mut Vec<Val>) -> bool {
    let missing = ty.params().skip(values.len());
    missing.into_iter().all(|(_, ty)| {
        values.push(Val::Option(None));
        matches!(ty, Type::Option(_))
    })
}
