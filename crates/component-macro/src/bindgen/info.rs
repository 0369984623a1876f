//! What types hold, however deep within.

use std::collections::{HashMap, HashSet};

use wit_parser::{Resolve, Type, TypeDefKind, TypeId};

/// What a type holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Info {
    /// Strings, lists or maps: it is not passed by copying.
    pub(super) list: bool,
    /// Handles, futures or streams: it cannot be cloned.
    pub(super) handle: bool,
    /// Error contexts.
    pub(super) error_context: bool,
}

#[derive(Default)]
pub(super) struct Infos {
    /// Types share parts, so each is looked at once.
    known: HashMap<TypeId, Info>,
    errors: HashSet<TypeId>,
}

impl Infos {
    pub(super) fn mark_error(&mut self, id: Option<TypeId>) {
        self.errors.extend(id);
    }

    /// Whether a function gives the type as its error.
    pub(super) fn is_error(&self, id: TypeId) -> bool {
        self.errors.contains(&id)
    }

    pub(super) fn of(&mut self, resolve: &Resolve, ty: &Type) -> Info {
        let id = match ty {
            Type::String => return Info { list: true, ..Info::default() },
            Type::ErrorContext => return Info { error_context: true, ..Info::default() },
            Type::Id(id) => *id,
            _ => return Info::default(),
        };
        if let Some(info) = self.known.get(&id) {
            return *info;
        }
        let kind = &resolve.types[id].kind;
        let mut parts: Vec<Type> = Vec::new();
        match kind {
            TypeDefKind::Record(record) => parts.extend(record.fields.iter().map(|field| field.ty)),
            TypeDefKind::Tuple(tuple) => parts.extend(&tuple.types),
            TypeDefKind::Variant(variant) => {
                parts.extend(variant.cases.iter().filter_map(|case| case.ty));
            }
            TypeDefKind::Option(ty)
            | TypeDefKind::Type(ty)
            | TypeDefKind::List(ty)
            | TypeDefKind::FixedLengthList(ty, _) => parts.push(*ty),
            TypeDefKind::Map(key, value) => parts.extend([*key, *value]),
            TypeDefKind::Result(result) => {
                parts.extend(result.ok.into_iter().chain(result.err));
            }
            TypeDefKind::Future(ty) | TypeDefKind::Stream(ty) => parts.extend(*ty),
            TypeDefKind::Flags(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Resource
            | TypeDefKind::Handle(_)
            | TypeDefKind::Unknown => {}
        }
        let mut info = Info {
            list: matches!(kind, TypeDefKind::List(_) | TypeDefKind::Map(..)),
            handle: matches!(
                kind,
                TypeDefKind::Handle(_) | TypeDefKind::Future(_) | TypeDefKind::Stream(_)
            ),
            error_context: false,
        };
        for part in &parts {
            let part = self.of(resolve, part);
            info.list |= part.list;
            info.handle |= part.handle;
            info.error_context |= part.error_context;
        }
        self.known.insert(id, info);
        info
    }
}
