//! What a linker defines against what a component imports.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use zwasm::{Error, ErrorKind, ExternType, FuncType, Module, Result};

use super::items::{ItemType, ModuleItems};
use super::{ComponentFunc, ComponentItem, versions};
use crate::abi::TypeContext;
use crate::abi::call::HostFunc;
use crate::linker::{Definition, HostDestructor, Names};
use crate::plan::{Import, Origin, Plan};
use crate::tuning::MAX_LINK_ERROR;
use crate::{ResourceType, wit};

/// What is provided for an import.
pub(crate) enum Provided<T: 'static> {
    Func(HostFunc<T>),
    Module(Module),
    Resource(ResourceType, HostDestructor<T>),
}

/// All that is provided for a component's imports, and its resource types as far as they
/// are among that.
pub(crate) struct Match<T: 'static> {
    pub(crate) imports: Arc<[Provided<T>]>,
    pub(crate) resources: Arc<[ResourceType]>,
}

/// Finds what a component imports.
///
/// # Errors
///
/// All imports that are missing or of another type.
pub(crate) fn resolve<T: 'static>(names: &Names<T>, plan: &Plan) -> Result<Match<T>> {
    let found: Vec<_> = plan.imports.iter().map(|import| names.find(import)).collect();
    // Which resources these are is known before the functions that use them are compared.
    let mut resources: Vec<ResourceType> = plan.uninstantiated.to_vec();
    for (index, origin) in plan.resources.iter().enumerate() {
        if let Origin::Import(import) = origin
            && let Some(Definition::Resource(ty, _)) = found[*import as usize]
        {
            resources[index] = *ty;
        }
    }
    let resources: Arc<[ResourceType]> = resources.into();
    let mut problems = Problems { plan, text: String::new(), left_out: 0, interface: None };
    let mut provided = Vec::with_capacity(plan.imports.len());
    for (import, found) in plan.imports.iter().zip(found) {
        let Some(found) = found else {
            problems.missing(names, import);
            continue;
        };
        match (&import.ty, found) {
            (ItemType::Func(ty), Definition::Func(func)) => {
                let cx = TypeContext { types: &plan.types, resources: &resources };
                if let Err(error) = func.check(*ty, &cx) {
                    problems.unlike(import, &error.to_string());
                }
                provided.push(Provided::Func(func.func.clone()));
            }
            (ItemType::Module(ty), Definition::Module(module)) => {
                if let Some(problem) = module_mismatch(ty, module) {
                    problems.unlike(import, &problem);
                }
                provided.push(Provided::Module(module.clone()));
            }
            (ItemType::Resource(_), Definition::Resource(ty, destructor)) => {
                provided.push(Provided::Resource(*ty, destructor.clone()));
            }
            (_, found) => {
                problems.unlike(import, &format!("what is defined is {}", found.kind()));
            }
        }
    }
    for import in &plan.again {
        match (&import.ty, names.find(import)) {
            (_, None) => {}
            (ItemType::Resource(index), Some(Definition::Resource(ty, _)))
                if resources[index.0 as usize] == *ty => {}
            _ => problems.unlike(import, "mismatched resource types: another import is the same"),
        }
    }
    match problems.text.is_empty() {
        true => Ok(Match { imports: provided.into(), resources }),
        false => Err(problems.error()),
    }
}

/// What is wrong with imports, in words.
struct Problems<'a> {
    plan: &'a Plan,
    text: String,
    /// How many are not in the text.
    left_out: usize,
    /// The path of the last interface, and the names it gives types.
    interface: Option<(&'a [Arc<str>], wit::Interface)>,
}

impl<'a> Problems<'a> {
    fn error(self) -> Error {
        let Problems { mut text, left_out, .. } = self;
        if left_out > 0 {
            text += &format!("; and {left_out} more");
        }
        Error::of_kind(ErrorKind::Link, text)
    }

    fn add(&mut self, problem: &str) {
        if !self.text.is_empty() {
            self.text += "; ";
        }
        self.text += problem;
    }

    /// Whether there is no room for more.
    fn is_full(&mut self) -> bool {
        let full = self.text.len() >= MAX_LINK_ERROR;
        self.left_out += usize::from(full);
        full
    }

    #[cold]
    fn missing<T: 'static>(&mut self, names: &Names<T>, import: &'a Import) {
        if self.is_full() {
            return;
        }
        let (name, ty) = (Self::name(import), self.ty(import));
        let mut problem = format!("unknown import '{name}': {ty}");
        let first = &import.path[0];
        if !names.has(first) {
            let others: Vec<_> = names
                .iter()
                .filter(|other| versions::same_but_for_version(first, other))
                .map(|other| format!("'{other}'"))
                .collect();
            if !others.is_empty() {
                let (others, first) = (others.join(", "), shortened(first));
                problem += &format!(
                    " (there is {others}, and the component wants '{first}', which is not \
                     compatible)"
                );
            }
        }
        self.add(&problem);
    }

    #[cold]
    fn unlike(&mut self, import: &'a Import, what: &str) {
        if !self.is_full() {
            let (name, ty) = (Self::name(import), self.ty(import));
            self.add(&format!("import '{name}' is to be {ty}: {what}"));
        }
    }

    fn name(import: &Import) -> String {
        let names: Vec<_> = import.path.iter().map(|name| shortened(name)).collect();
        names.join("#")
    }

    /// The type as WIT, with the names that its interface gives types.
    fn ty(&mut self, import: &'a Import) -> String {
        let Plan { types, uninstantiated, items, .. } = self.plan;
        let ItemType::Func(ty) = import.ty else {
            return import.ty.kind().to_owned();
        };
        let outer = &import.path[..import.path.len() - 1];
        if self.interface.as_ref().is_none_or(|(path, _)| *path != outer) {
            let mut level = &items.imports[..];
            for name in outer {
                let found = level.iter().find(|(other, _)| other == name);
                let Some((_, ItemType::Instance(items))) = found else { break };
                level = items;
            }
            let names = level.iter();
            let names =
                names.map(|(name, ty)| (&**name, ComponentItem::new(types, uninstantiated, ty)));
            self.interface = Some((outer, wit::Interface::new(names)));
        }
        let func = ComponentFunc::new(types, uninstantiated, ty);
        match &mut self.interface {
            Some((_, interface)) => interface.func(&func),
            None => func.to_string(),
        }
    }
}

/// A name as far as a message needs it.
fn shortened(name: &str) -> Cow<'_, str> {
    const CHARS: usize = 200;
    match name.char_indices().nth(CHARS) {
        None => name.into(),
        Some((end, _)) => format!("{}…", &name[..end]).into(),
    }
}

/// Why a module is not of a type, if it is not.
fn module_mismatch(wanted: &ModuleItems, module: &Module) -> Option<String> {
    if wanted.partial {
        return Some("it has types of its own, which no module from outside can have".to_owned());
    }
    for (name, want) in &wanted.exports {
        match module.get_export(name) {
            Some(have) if is_subtype(&have, want) => {}
            Some(have) => return Some(format!("its export '{name}' is {have}, not {want}")),
            None => return Some(format!("it does not export '{name}', {want}")),
        }
    }
    let given: HashMap<_, _> =
        wanted.imports.iter().map(|(from, name, ty)| ((&**from, &**name), ty)).collect();
    for import in module.imports() {
        let (from, name, want) = (import.module(), import.name(), import.ty());
        match given.get(&(from, name)) {
            Some(have) if is_subtype(have, &want) => {}
            Some(have) => {
                return Some(format!("it imports '{from}' '{name}' as {want}, and gets {have}"));
            }
            None => return Some(format!("it imports '{from}' '{name}', which it does not get")),
        }
    }
    None
}

/// Whether functions take and give the same.
fn alike(a: &FuncType, b: &FuncType) -> bool {
    a.params().eq(b.params()) && a.results().eq(b.results())
}

fn is_subtype(a: &ExternType, b: &ExternType) -> bool {
    let within = |a: (u64, Option<u64>), b: (u64, Option<u64>)| {
        a.0 >= b.0 && b.1.is_none_or(|most| a.1.is_some_and(|maximum| maximum <= most))
    };
    match (a, b) {
        (ExternType::Func(a), ExternType::Func(b)) => alike(a, b),
        (ExternType::Tag(a), ExternType::Tag(b)) => alike(a.ty(), b.ty()),
        (ExternType::Global(a), ExternType::Global(b)) => {
            a.content() == b.content() && a.mutability() == b.mutability()
        }
        (ExternType::Table(a), ExternType::Table(b)) => {
            a.element() == b.element()
                && a.is_64() == b.is_64()
                && within((a.minimum(), a.maximum()), (b.minimum(), b.maximum()))
        }
        (ExternType::Memory(a), ExternType::Memory(b)) => {
            a.is_64() == b.is_64()
                && a.is_shared() == b.is_shared()
                && a.page_size() == b.page_size()
                && within((a.minimum(), a.maximum()), (b.minimum(), b.maximum()))
        }
        _ => false,
    }
}
