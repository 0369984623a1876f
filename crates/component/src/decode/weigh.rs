//! What validating a component costs, found before it is done.
//!
//! Each use of a type that has resources within makes the validator copy it, with the
//! instances in it and all in these, so that a few hundred bytes of instance types, each
//! with two of the one before, are gigabytes of copies. So each type is given a weight
//! here: how many parts it has, instances counted as often as they occur, value types at
//! most as often as there are any. Each use of a type takes its weight from what is left.
//!
//! Nothing is taken to be valid. An index that does not exist weighs nothing: whoever
//! validates will come upon it.

use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentDefinedType, ComponentExternalKind,
    ComponentInstance, ComponentOuterAliasKind, ComponentType, ComponentTypeDeclaration,
    ComponentTypeRef, ComponentValType, InstanceTypeDeclaration, TypeBounds,
};
use zwasm::{Error, Result};

use super::read::Definition;
use crate::tuning::{MAX_WEIGHT, WEIGHT, WEIGHT_PER_BYTE};

pub(super) struct Weigher<'a> {
    left: usize,
    /// The outermost first.
    scopes: Vec<Scope<'a>>,
    /// How many types of values were defined.
    values: usize,
}

/// The weights of what is defined in a component or a type.
#[derive(Default)]
struct Scope<'a> {
    types: Vec<Weight<'a>>,
    funcs: Vec<Weight<'a>>,
    instances: Vec<Weight<'a>>,
    components: Vec<Weight<'a>>,
    whole: Parts<'a>,
}

/// What instances of a type have, or of a component.
#[derive(Default)]
struct Parts<'a> {
    size: usize,
    exports: HashMap<&'a str, Weight<'a>>,
}

/// The weight of an item, and of what is in it.
#[derive(Clone)]
struct Weight<'a> {
    size: usize,
    parts: Option<Rc<Parts<'a>>>,
}

impl Weight<'_> {
    const ONE: Self = Weight { size: 1, parts: None };
}

impl<'a> Scope<'a> {
    fn space(&mut self, kind: ComponentExternalKind) -> Option<&mut Vec<Weight<'a>>> {
        match kind {
            ComponentExternalKind::Func => Some(&mut self.funcs),
            ComponentExternalKind::Type => Some(&mut self.types),
            ComponentExternalKind::Instance => Some(&mut self.instances),
            ComponentExternalKind::Component => Some(&mut self.components),
            ComponentExternalKind::Module | ComponentExternalKind::Value => None,
        }
    }

    fn get(&mut self, kind: ComponentExternalKind, index: u32) -> Weight<'a> {
        let weight = self.space(kind).and_then(|space| space.get(index as usize));
        weight.cloned().unwrap_or(Weight::ONE)
    }

    fn push(&mut self, kind: ComponentExternalKind, weight: Weight<'a>) {
        if let Some(space) = self.space(kind) {
            space.push(weight);
        }
    }
}

impl<'a> Parts<'a> {
    fn add(&mut self, weight: &Weight<'a>) {
        self.size = self.size.saturating_add(weight.size);
    }

    fn finish(self) -> Weight<'a> {
        Weight { size: self.size.saturating_add(1), parts: Some(Rc::new(self)) }
    }
}

impl<'a> Weigher<'a> {
    /// For a component of so many bytes.
    pub(super) fn new(bytes: usize) -> Weigher<'a> {
        let left = bytes.saturating_mul(WEIGHT_PER_BYTE).saturating_add(WEIGHT).min(MAX_WEIGHT);
        Weigher { left, scopes: Vec::new(), values: 0 }
    }

    fn spend(&mut self, weight: usize) -> Result<()> {
        let left = self.left.checked_sub(weight);
        self.left = left.ok_or_else(|| {
            Error::limit(
                "the component's types are too large: instances in them have instances in \
                 them, with too many parts in all",
            )
        })?;
        Ok(())
    }

    /// The definitions that follow are within a component.
    pub(super) fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// The component ends, and is the next of those in the one around it.
    pub(super) fn close(&mut self) {
        let inner = self.leave();
        if let Some(scope) = self.scopes.last_mut() {
            scope.components.push(inner);
        }
    }

    fn leave(&mut self) -> Weight<'a> {
        self.scopes.pop().map_or(Weight::ONE, |scope| scope.whole.finish())
    }

    /// A definition of the innermost component, before it is validated.
    pub(super) fn weigh(&mut self, definition: &Definition<'a>) -> Result<()> {
        self.spend(1)?;
        if self.scopes.is_empty() {
            return Ok(());
        }
        match definition {
            Definition::Import(import) => self.declared(import.name.name, import.ty, false),
            Definition::Type(ty) => self.define(ty),
            Definition::Alias(alias) => self.alias(alias),
            Definition::Instance(instance) => self.instance(instance),
            Definition::Export(export) => match export.ty {
                Some(ty) => self.declared(export.name.name, ty, true),
                None => {
                    let weight = self.here().get(export.kind, export.index);
                    self.named(export.name.name, export.kind, weight, true)
                }
            },
            Definition::Canonical(CanonicalFunction::Lift { type_index, .. }) => {
                let weight = self.here().get(ComponentExternalKind::Type, *type_index);
                self.here().funcs.push(weight);
                Ok(())
            }
            Definition::Canonical(_)
            | Definition::CoreType(_)
            | Definition::Module(_)
            | Definition::Component(_)
            | Definition::CoreInstance(_) => Ok(()),
        }
    }

    /// The innermost scope, of which there is one.
    fn here(&mut self) -> &mut Scope<'a> {
        if self.scopes.is_empty() {
            self.open();
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    /// An import or export of a type.
    fn declared(&mut self, name: &'a str, ty: ComponentTypeRef, exported: bool) -> Result<()> {
        let weight = match ty {
            ComponentTypeRef::Func(index)
            | ComponentTypeRef::Instance(index)
            | ComponentTypeRef::Component(index)
            | ComponentTypeRef::Type(TypeBounds::Eq(index)) => {
                self.here().get(ComponentExternalKind::Type, index)
            }
            ComponentTypeRef::Module(_)
            | ComponentTypeRef::Value(_)
            | ComponentTypeRef::Type(TypeBounds::SubResource) => Weight::ONE,
        };
        self.named(name, ty.kind(), weight, exported)
    }

    fn named(
        &mut self,
        name: &'a str,
        kind: ComponentExternalKind,
        weight: Weight<'a>,
        exported: bool,
    ) -> Result<()> {
        self.spend(weight.size)?;
        let scope = self.here();
        scope.whole.add(&weight);
        if exported {
            scope.whole.exports.insert(name, weight.clone());
        }
        scope.push(kind, weight);
        Ok(())
    }

    fn define(&mut self, ty: &ComponentType<'a>) -> Result<()> {
        let weight = match ty {
            ComponentType::Defined(ty) => self.value(parts_of(ty)),
            ComponentType::Func(ty) => {
                let types = ty.params.iter().map(|(_, ty)| *ty).chain(ty.result);
                self.value(types.collect())
            }
            ComponentType::Resource { .. } => Weight::ONE,
            ComponentType::Instance(declarations) => {
                self.open();
                for declaration in declarations {
                    self.spend(1)?;
                    match declaration {
                        InstanceTypeDeclaration::CoreType(_) => {}
                        InstanceTypeDeclaration::Type(ty) => self.define(ty)?,
                        InstanceTypeDeclaration::Alias(alias) => self.alias(alias)?,
                        InstanceTypeDeclaration::Export { name, ty } => {
                            self.declared(name.name, *ty, true)?;
                        }
                    }
                }
                self.leave()
            }
            ComponentType::Component(declarations) => {
                self.open();
                for declaration in declarations {
                    self.spend(1)?;
                    match declaration {
                        ComponentTypeDeclaration::CoreType(_) => {}
                        ComponentTypeDeclaration::Type(ty) => self.define(ty)?,
                        ComponentTypeDeclaration::Alias(alias) => self.alias(alias)?,
                        ComponentTypeDeclaration::Import(import) => {
                            self.declared(import.name.name, import.ty, false)?;
                        }
                        ComponentTypeDeclaration::Export { name, ty } => {
                            self.declared(name.name, *ty, true)?;
                        }
                    }
                }
                self.leave()
            }
        };
        self.here().types.push(weight);
        Ok(())
    }

    /// A type of values, or of a function, with these parts. It is copied no more than
    /// once, and so are all that it is made of.
    fn value(&mut self, parts: Vec<ComponentValType>) -> Weight<'a> {
        self.values += 1;
        let mut size = 1_usize;
        for part in parts {
            size = size.saturating_add(match part {
                ComponentValType::Primitive(_) => 1,
                ComponentValType::Type(index) => {
                    self.here().get(ComponentExternalKind::Type, index).size
                }
            });
        }
        Weight { size: size.min(self.values), parts: None }
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) -> Result<()> {
        match *alias {
            ComponentAlias::InstanceExport { kind, instance_index, name } => {
                let instance = self.here().get(ComponentExternalKind::Instance, instance_index);
                let weight = instance.parts.and_then(|parts| parts.exports.get(name).cloned());
                self.here().push(kind, weight.unwrap_or(Weight::ONE));
            }
            ComponentAlias::Outer { kind, count, index } => {
                let kind = match kind {
                    ComponentOuterAliasKind::Type => ComponentExternalKind::Type,
                    ComponentOuterAliasKind::Component => ComponentExternalKind::Component,
                    ComponentOuterAliasKind::CoreModule | ComponentOuterAliasKind::CoreType => {
                        return Ok(());
                    }
                };
                let outer = self.scopes.len().checked_sub(1 + count as usize);
                let outer = outer.and_then(|outer| self.scopes.get_mut(outer));
                let weight = outer.map_or(Weight::ONE, |outer| outer.get(kind, index));
                self.here().push(kind, weight);
            }
            ComponentAlias::CoreInstanceExport { .. } => {}
        }
        Ok(())
    }

    fn instance(&mut self, instance: &ComponentInstance<'a>) -> Result<()> {
        let weight = match instance {
            ComponentInstance::Instantiate { component_index, args } => {
                self.spend(args.len())?;
                for arg in args {
                    let weight = self.here().get(arg.kind, arg.index).size;
                    self.spend(weight)?;
                }
                let weight = self.here().get(ComponentExternalKind::Component, *component_index);
                self.spend(weight.size)?;
                weight
            }
            ComponentInstance::FromExports(exports) => {
                let mut parts = Parts::default();
                for export in exports {
                    let weight = self.here().get(export.kind, export.index);
                    self.spend(weight.size)?;
                    parts.add(&weight);
                    parts.exports.insert(export.name.name, weight);
                }
                parts.finish()
            }
        };
        self.here().instances.push(weight);
        Ok(())
    }
}

/// The types that a type of values is made of.
fn parts_of(ty: &ComponentDefinedType<'_>) -> Vec<ComponentValType> {
    match ty {
        ComponentDefinedType::Record(fields) => fields.iter().map(|(_, ty)| *ty).collect(),
        ComponentDefinedType::Variant(cases) => cases.iter().filter_map(|case| case.ty).collect(),
        ComponentDefinedType::Tuple(types) => types.to_vec(),
        ComponentDefinedType::List(ty)
        | ComponentDefinedType::FixedLengthList(ty, _)
        | ComponentDefinedType::Option(ty) => vec![*ty],
        ComponentDefinedType::Map(key, value) => vec![*key, *value],
        ComponentDefinedType::Result { ok, err } => ok.iter().chain(err).copied().collect(),
        ComponentDefinedType::Future(ty) | ComponentDefinedType::Stream(ty) => {
            ty.iter().copied().collect()
        }
        ComponentDefinedType::Primitive(_)
        | ComponentDefinedType::Flags(_)
        | ComponentDefinedType::Enum(_)
        | ComponentDefinedType::Own(_)
        | ComponentDefinedType::Borrow(_) => Vec::new(),
    }
}
