//! What indices and names stand for while a component is flattened.

use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::{
    ComponentTypeDeclaration, InstanceTypeDeclaration, ModuleTypeDeclaration, SubType,
};

use super::read::Body;
use crate::plan::{CoreDef, FuncDef};
use crate::types::{FuncIndex, InterfaceType, ResourceIndex};

/// A scope by its number. Scopes are not given back before the plan is made, as what is
/// defined in one may be used through another.
pub(super) type ScopeId = usize;

/// What has a name or an index of its kind. Cheap to clone.
#[derive(Clone)]
pub(super) enum Item<'a> {
    Func(FuncDef, FuncIndex),
    Module(ModuleDef<'a>),
    Instance(Rc<Names<'a, Item<'a>>>),
    Component(ComponentDef<'a>),
    Type(TypeDef<'a>),
}

/// A type. Those of instances and components are what declares them, in a scope: what
/// they mean is found where something is given of which they are the type.
#[derive(Clone, Copy)]
pub(super) enum TypeDef<'a> {
    Value(InterfaceType),
    Resource(ResourceIndex),
    Func(FuncIndex),
    Instance(&'a [InstanceTypeDeclaration<'a>], ScopeId),
    Component(&'a [ComponentTypeDeclaration<'a>], ScopeId),
}

#[derive(Clone, Copy)]
pub(super) enum CoreTypeDef<'a> {
    Sub(&'a SubType),
    Module(&'a [ModuleTypeDeclaration<'a>], ScopeId),
}

/// A core module, by its place among all or the imports.
#[derive(Clone, Copy)]
pub(super) enum ModuleDef<'a> {
    Static(u32),
    Import(u32, &'a [ModuleTypeDeclaration<'a>], ScopeId),
    /// One of which only the type matters.
    Abstract(&'a [ModuleTypeDeclaration<'a>], ScopeId),
}

/// A component with the scope that it is defined in.
#[derive(Clone, Copy)]
pub(super) enum ComponentDef<'a> {
    Body(&'a Body<'a>, ScopeId),
    /// One of which only the type is known.
    Declared(&'a [ComponentTypeDeclaration<'a>], ScopeId),
}

#[derive(Clone)]
pub(super) enum CoreInstanceDef<'a> {
    /// An instance of a module, by the number of its step, and the module if it is one of
    /// the component's.
    Real(u32, Option<u32>),
    /// Items of others under new names.
    Bag(Rc<Names<'a, CoreDef>>),
}

/// The index spaces of a component, or of a type of instances or components.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) outer: Option<ScopeId>,
    /// The number of the nested instance.
    pub(super) instance: u32,
    pub(super) types: Vec<TypeDef<'a>>,
    pub(super) funcs: Vec<(FuncDef, FuncIndex)>,
    pub(super) instances: Vec<Rc<Names<'a, Item<'a>>>>,
    pub(super) components: Vec<ComponentDef<'a>>,
    pub(super) modules: Vec<ModuleDef<'a>>,
    pub(super) core_types: Vec<CoreTypeDef<'a>>,
    pub(super) core_instances: Vec<CoreInstanceDef<'a>>,
    pub(super) core_funcs: Vec<CoreDef>,
    pub(super) core_tables: Vec<CoreDef>,
    pub(super) core_memories: Vec<CoreDef>,
    pub(super) core_globals: Vec<CoreDef>,
    pub(super) core_tags: Vec<CoreDef>,
}

impl<'a> Scope<'a> {
    /// Gives an item the next index of its kind.
    pub(super) fn push(&mut self, item: Item<'a>) {
        match item {
            Item::Func(func, ty) => self.funcs.push((func, ty)),
            Item::Module(module) => self.modules.push(module),
            Item::Instance(instance) => self.instances.push(instance),
            Item::Component(component) => self.components.push(component),
            Item::Type(ty) => self.types.push(ty),
        }
    }
}

/// What names stand for, in the order of their definition.
pub(super) struct Names<'a, T> {
    entries: Vec<(&'a str, T)>,
    places: HashMap<&'a str, usize>,
}

impl<'a, T> Default for Names<'a, T> {
    fn default() -> Names<'a, T> {
        Names { entries: Vec::new(), places: HashMap::new() }
    }
}

impl<'a, T> Names<'a, T> {
    /// Validation sees to it that no name is there twice.
    pub(super) fn insert(&mut self, name: &'a str, value: T) {
        self.places.insert(name, self.entries.len());
        self.entries.push((name, value));
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.places.get(name).map(|&place| &self.entries[place].1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &T)> {
        self.entries.iter().map(|(name, value)| (*name, value))
    }
}
