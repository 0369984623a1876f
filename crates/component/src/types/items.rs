//! The types of what is imported and exported, with names: instances, components and
//! core modules, which the table of value types knows nothing of.

use std::sync::Arc;

use zwasm::ExternType;

use super::{FuncIndex, InterfaceType, ResourceIndex};

/// The type of something that has a name. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum ItemType {
    Func(FuncIndex),
    Module(Arc<ModuleItems>),
    Instance(Arc<Items>),
    Component(Arc<ComponentItems>),
    /// The item is a type of values.
    Value(InterfaceType),
    /// The item is a resource type.
    Resource(ResourceIndex),
}

impl ItemType {
    /// What it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            ItemType::Func(_) => "a function",
            ItemType::Module(_) => "a core module",
            ItemType::Instance(_) => "an instance",
            ItemType::Component(_) => "a component",
            ItemType::Value(_) => "a type",
            ItemType::Resource(_) => "a resource",
        }
    }
}

/// Items by name, in order.
pub(crate) type Items = [(Arc<str>, ItemType)];

/// The type of a component.
#[derive(Debug, Default)]
pub(crate) struct ComponentItems {
    pub(crate) imports: Vec<(Arc<str>, ItemType)>,
    pub(crate) exports: Vec<(Arc<str>, ItemType)>,
}

/// The type of a core module.
#[derive(Debug, Default)]
pub(crate) struct ModuleItems {
    pub(crate) imports: Vec<(Arc<str>, Arc<str>, ExternType)>,
    pub(crate) exports: Vec<(Arc<str>, ExternType)>,
    /// Whether types that are defined within it are left out, which no module that is
    /// compiled elsewhere can be compared with.
    pub(crate) partial: bool,
}
