//! Types as values: what a definition of a type means where it is followed.
//!
//! A type that declares an instance is followed when something is given for it: what is
//! imported from outside, an instance at hand, or nothing but the type itself. In each
//! case that gives an instance with the declared names and no others, so that one piece
//! of code finds what is to be imported, hides what an instance has beyond its type, and
//! finds types for those who only look at them.

use std::rc::Rc;
use std::sync::Arc;

use wasmparser::{
    ComponentAlias, ComponentDefinedType, ComponentFuncType, ComponentOuterAliasKind,
    ComponentType, ComponentTypeDeclaration, ComponentTypeRef, ComponentValType, CoreType,
    InstanceTypeDeclaration, PrimitiveValType, TypeBounds,
};
use zwasm::Result;

use super::flatten::Flattener;
use super::inconsistent;
use super::scope::{ComponentDef, CoreTypeDef, Item, ModuleDef, Names, Scope, ScopeId, TypeDef};
use crate::plan::{FuncDef, Import, Origin};
use crate::types::items::ItemType;
use crate::types::{Defined, FuncIndex, FuncType, InterfaceType, ResourceIndex};

/// A name within others.
#[derive(Clone, Copy)]
pub(super) struct Path<'s> {
    pub(super) outer: Option<&'s Path<'s>>,
    pub(super) name: &'s Arc<str>,
    /// The interface that the name stands for, if it says so.
    pub(super) implements: Option<&'s Arc<str>>,
}

impl Path<'_> {
    /// What is imported under it.
    fn import(&self, ty: ItemType) -> Import {
        let mut path: Vec<Arc<str>> = Vec::new();
        let mut first = self;
        for outer in std::iter::successors(Some(self), |path| path.outer) {
            path.push(outer.name.clone());
            first = outer;
        }
        path.reverse();
        Import { path: path.into(), implements: first.implements.cloned(), ty }
    }
}

/// What is given for something of a type.
pub(super) enum Source<'s, 'a> {
    /// What the component is to import under this name.
    Host(&'s Path<'s>),
    Item(Item<'a>),
    /// Nothing: only the type matters.
    Abstract,
}

impl<'a> Flattener<'a> {
    /// Follows the definition of a type.
    pub(super) fn define_type(&mut self, scope: ScopeId, ty: &'a ComponentType<'a>) -> Result<()> {
        let ty = match ty {
            ComponentType::Defined(ty) => self.defined_type(scope, ty)?,
            ComponentType::Func(ty) => TypeDef::Func(self.func_type(scope, ty)?),
            ComponentType::Instance(declarations) => TypeDef::Instance(declarations, scope),
            ComponentType::Component(declarations) => TypeDef::Component(declarations, scope),
            ComponentType::Resource { dtor, .. } => {
                let instance = self.scopes[scope].instance;
                let resource = self.add_resource(Origin::Defined(instance))?;
                if let Some(index) = *dtor {
                    self.destructor(scope, resource, index)?;
                }
                TypeDef::Resource(resource)
            }
        };
        self.scopes[scope].types.push(ty);
        Ok(())
    }

    pub(super) fn define_core_type(&mut self, scope: ScopeId, ty: &'a CoreType<'a>) -> Result<()> {
        match ty {
            CoreType::Rec(group) => {
                self.spend(group.types().len())?;
                let types = group.types().map(CoreTypeDef::Sub);
                self.scopes[scope].core_types.extend(types);
            }
            CoreType::Module(declarations) => {
                self.scopes[scope].core_types.push(CoreTypeDef::Module(declarations, scope));
            }
        }
        Ok(())
    }

    pub(super) fn add_resource(&mut self, origin: Origin) -> Result<ResourceIndex> {
        self.spend(1)?;
        let index = ResourceIndex(self.resources.len() as u32);
        // What is followed for its type only is not there at run time.
        self.resources.push(if self.dry { Origin::Abstract } else { origin });
        Ok(index)
    }

    fn type_at(&self, scope: ScopeId, index: u32) -> Result<TypeDef<'a>> {
        let ty = self.scopes[scope].types.get(index as usize);
        ty.copied().ok_or_else(|| inconsistent("the index of a type"))
    }

    pub(super) fn resource_at(&self, scope: ScopeId, index: u32) -> Result<ResourceIndex> {
        match self.type_at(scope, index)? {
            TypeDef::Resource(resource) => Ok(resource),
            _ => Err(inconsistent("the index of a resource type")),
        }
    }

    pub(super) fn func_type_at(&self, scope: ScopeId, index: u32) -> Result<FuncIndex> {
        match self.type_at(scope, index)? {
            TypeDef::Func(ty) => Ok(ty),
            _ => Err(inconsistent("the index of a function type")),
        }
    }

    fn value_type(&self, scope: ScopeId, ty: ComponentValType) -> Result<InterfaceType> {
        match ty {
            ComponentValType::Primitive(ty) => Ok(primitive(ty)),
            ComponentValType::Type(index) => self.value_type_at(scope, index),
        }
    }

    pub(super) fn value_type_at(&self, scope: ScopeId, index: u32) -> Result<InterfaceType> {
        match self.type_at(scope, index)? {
            TypeDef::Value(ty) => Ok(ty),
            _ => Err(inconsistent("the index of a value type")),
        }
    }

    pub(super) fn optional_type(
        &self,
        scope: ScopeId,
        ty: Option<ComponentValType>,
    ) -> Result<Option<InterfaceType>> {
        ty.map(|ty| self.value_type(scope, ty)).transpose()
    }

    fn defined_type(
        &mut self,
        scope: ScopeId,
        ty: &ComponentDefinedType<'a>,
    ) -> Result<TypeDef<'a>> {
        match ty {
            ComponentDefinedType::Record(fields) => {
                self.spend_names(fields.iter().map(|(name, _)| *name))?;
            }
            ComponentDefinedType::Variant(cases) => {
                self.spend_names(cases.iter().map(|case| case.name))?;
            }
            ComponentDefinedType::Flags(names) | ComponentDefinedType::Enum(names) => {
                self.spend_names(names.iter().copied())?;
            }
            ComponentDefinedType::Tuple(types) => self.spend(types.len())?,
            _ => self.spend(1)?,
        }
        let value = |ty: &ComponentValType| self.value_type(scope, *ty);
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        let defined = match ty {
            ComponentDefinedType::Primitive(ty) => return Ok(TypeDef::Value(primitive(*ty))),
            ComponentDefinedType::Own(index) => {
                return Ok(TypeDef::Value(InterfaceType::Own(self.resource_at(scope, *index)?)));
            }
            ComponentDefinedType::Borrow(index) => {
                return Ok(TypeDef::Value(InterfaceType::Borrow(self.resource_at(scope, *index)?)));
            }
            ComponentDefinedType::Record(fields) => {
                let fields = fields.iter().map(|(name, ty)| Ok(((*name).into(), value(ty)?)));
                Defined::Record(fields.collect::<Result<_>>()?)
            }
            ComponentDefinedType::Variant(cases) => {
                let cases = cases
                    .iter()
                    .map(|case| Ok((case.name.into(), self.optional_type(scope, case.ty)?)));
                Defined::Variant(cases.collect::<Result<_>>()?)
            }
            ComponentDefinedType::List(ty) => Defined::List(value(ty)?),
            ComponentDefinedType::Map(key, ty) => Defined::Map(value(key)?, value(ty)?),
            ComponentDefinedType::FixedLengthList(ty, length) => {
                Defined::FixedList(value(ty)?, *length)
            }
            ComponentDefinedType::Tuple(types) => {
                Defined::Tuple(types.iter().map(value).collect::<Result<_>>()?)
            }
            ComponentDefinedType::Flags(all) => Defined::Flags(names(all)),
            ComponentDefinedType::Enum(all) => Defined::Enum(names(all)),
            ComponentDefinedType::Option(ty) => Defined::Option(value(ty)?),
            ComponentDefinedType::Result { ok, err } => Defined::Result {
                ok: self.optional_type(scope, *ok)?,
                err: self.optional_type(scope, *err)?,
            },
            ComponentDefinedType::Future(ty) => Defined::Future(self.optional_type(scope, *ty)?),
            ComponentDefinedType::Stream(ty) => Defined::Stream(self.optional_type(scope, *ty)?),
        };
        Ok(TypeDef::Value(InterfaceType::Defined(self.types.intern(defined))))
    }

    fn func_type(&mut self, scope: ScopeId, ty: &ComponentFuncType<'a>) -> Result<FuncIndex> {
        self.spend_names(ty.params.iter().map(|(name, _)| *name))?;
        let params = ty.params.iter();
        let params = params.map(|(name, ty)| Ok(((*name).into(), self.value_type(scope, *ty)?)));
        let params = params.collect::<Result<_>>()?;
        let result = self.optional_type(scope, ty.result)?;
        Ok(self.types.intern_func(FuncType { params, result, asynchronous: ty.async_ }))
    }

    /// What something given is, seen as of a type.
    pub(super) fn take(
        &mut self,
        scope: ScopeId,
        ty: ComponentTypeRef,
        source: Source<'_, 'a>,
    ) -> Result<Item<'a>> {
        self.spend(1)?;
        let wrong = || inconsistent("the kind of an item");
        match ty {
            ComponentTypeRef::Func(index) => {
                let ty = self.func_type_at(scope, index)?;
                match source {
                    // Validation has found the types to be the same.
                    Source::Item(item @ Item::Func(..)) => Ok(item),
                    Source::Item(_) => Err(wrong()),
                    Source::Host(path) => {
                        let import = self.import(path, ItemType::Func(ty));
                        Ok(Item::Func(FuncDef::Import(import), ty))
                    }
                    Source::Abstract => Ok(Item::Func(FuncDef::Abstract, ty)),
                }
            }
            ComponentTypeRef::Module(index) => {
                let ty = self.scopes[scope].core_types.get(index as usize);
                let Some(&CoreTypeDef::Module(declarations, inner)) = ty else {
                    return Err(inconsistent("the index of a module type"));
                };
                match source {
                    Source::Item(item @ Item::Module(_)) => Ok(item),
                    Source::Item(_) => Err(wrong()),
                    Source::Host(path) => {
                        let ty = self.module_type(declarations, inner)?;
                        let import = self.import(path, ItemType::Module(ty));
                        Ok(Item::Module(ModuleDef::Import(import, declarations, inner)))
                    }
                    Source::Abstract => Ok(Item::Module(ModuleDef::Abstract(declarations, inner))),
                }
            }
            ComponentTypeRef::Type(TypeBounds::Eq(index)) => {
                let ty = self.type_at(scope, index)?;
                if let (TypeDef::Resource(resource), Source::Host(path)) = (ty, source) {
                    let ty = ItemType::Resource(resource);
                    self.again.push(path.import(ty));
                }
                Ok(Item::Type(ty))
            }
            ComponentTypeRef::Type(TypeBounds::SubResource) => match source {
                Source::Item(item @ Item::Type(TypeDef::Resource(_))) => Ok(item),
                Source::Item(_) => Err(wrong()),
                Source::Host(path) => {
                    let resource = ResourceIndex(self.resources.len() as u32);
                    let import = self.import(path, ItemType::Resource(resource));
                    let resource = self.add_resource(Origin::Import(import))?;
                    Ok(Item::Type(TypeDef::Resource(resource)))
                }
                Source::Abstract => {
                    let resource = self.add_resource(Origin::Abstract)?;
                    Ok(Item::Type(TypeDef::Resource(resource)))
                }
            },
            ComponentTypeRef::Instance(index) => {
                let TypeDef::Instance(declarations, outer) = self.type_at(scope, index)? else {
                    return Err(inconsistent("the index of an instance type"));
                };
                self.view(declarations, outer, source).map(Item::Instance)
            }
            ComponentTypeRef::Component(index) => {
                let TypeDef::Component(declarations, outer) = self.type_at(scope, index)? else {
                    return Err(inconsistent("the index of a component type"));
                };
                match source {
                    Source::Item(item @ Item::Component(_)) => return Ok(item),
                    Source::Item(_) => return Err(wrong()),
                    Source::Host(path) => {
                        let ty =
                            self.component_type(ComponentDef::Declared(declarations, outer))?;
                        self.import(path, ItemType::Component(ty));
                        // There is no providing it, so what follows is not executed.
                        self.dry = true;
                    }
                    Source::Abstract => {}
                }
                Ok(Item::Component(ComponentDef::Declared(declarations, outer)))
            }
            ComponentTypeRef::Value(_) => Err(inconsistent("a value")),
        }
    }

    fn import(&mut self, path: &Path<'_>, ty: ItemType) -> u32 {
        let index = self.imports.len() as u32;
        self.imports.push(path.import(ty));
        index
    }

    /// What is given as an instance of the declared type.
    pub(super) fn view(
        &mut self,
        declarations: &'a [InstanceTypeDeclaration<'a>],
        outer: ScopeId,
        source: Source<'_, 'a>,
    ) -> Result<Rc<Names<'a, Item<'a>>>> {
        let scope = self.open(Some(outer), self.scopes[outer].instance)?;
        let mut exports = Names::default();
        for declaration in declarations {
            self.spend(1)?;
            match declaration {
                InstanceTypeDeclaration::CoreType(ty) => self.define_core_type(scope, ty)?,
                InstanceTypeDeclaration::Type(ty) => self.define_type(scope, ty)?,
                InstanceTypeDeclaration::Alias(alias) => self.type_alias(scope, alias)?,
                InstanceTypeDeclaration::Export { name, ty } => {
                    let item = self.take_named(scope, name.name, *ty, &source)?;
                    self.scopes[scope].push(item.clone());
                    exports.insert(name.name, item);
                }
            }
        }
        self.close();
        Ok(Rc::new(exports))
    }

    /// What is given under a name of an instance.
    fn take_named(
        &mut self,
        scope: ScopeId,
        name: &'a str,
        ty: ComponentTypeRef,
        source: &Source<'_, 'a>,
    ) -> Result<Item<'a>> {
        match source {
            Source::Host(outer) => {
                let name = &self.name(name);
                self.take(
                    scope,
                    ty,
                    Source::Host(&Path { outer: Some(outer), name, implements: None }),
                )
            }
            Source::Item(Item::Instance(instance)) => {
                let item = instance.get(name).cloned();
                let item = item.ok_or_else(|| inconsistent("what an instance exports"))?;
                self.take(scope, ty, Source::Item(item))
            }
            Source::Item(_) => Err(inconsistent("the kind of an item")),
            Source::Abstract => self.take(scope, ty, Source::Abstract),
        }
    }

    /// What a component of which only the type is known imports, and what it exports
    /// when it is given that.
    pub(super) fn declared(
        &mut self,
        declarations: &'a [ComponentTypeDeclaration<'a>],
        outer: ScopeId,
        args: Option<&Names<'a, Item<'a>>>,
    ) -> Result<[Names<'a, Item<'a>>; 2]> {
        let scope = self.open(Some(outer), self.scopes[outer].instance)?;
        let mut imports = Names::default();
        let mut exports = Names::default();
        for declaration in declarations {
            self.spend(1)?;
            match declaration {
                ComponentTypeDeclaration::CoreType(ty) => self.define_core_type(scope, ty)?,
                ComponentTypeDeclaration::Type(ty) => self.define_type(scope, ty)?,
                ComponentTypeDeclaration::Alias(alias) => self.type_alias(scope, alias)?,
                ComponentTypeDeclaration::Import(import) => {
                    let name = import.name.name;
                    let source = self.argument(args, name)?;
                    let item = self.take(scope, import.ty, source)?;
                    self.scopes[scope].push(item.clone());
                    imports.insert(name, item);
                }
                ComponentTypeDeclaration::Export { name, ty } => {
                    let item = self.take(scope, *ty, Source::Abstract)?;
                    self.scopes[scope].push(item.clone());
                    exports.insert(name.name, item);
                }
            }
        }
        self.close();
        Ok([imports, exports])
    }

    /// What is given for an import; without arguments, only its type.
    pub(super) fn argument(
        &self,
        args: Option<&Names<'a, Item<'a>>>,
        name: &str,
    ) -> Result<Source<'static, 'a>> {
        match args {
            None => Ok(Source::Abstract),
            Some(args) => {
                let item = args.get(name).cloned();
                item.map(Source::Item).ok_or_else(|| inconsistent("an argument"))
            }
        }
    }

    /// An alias where types are declared.
    fn type_alias(&mut self, scope: ScopeId, alias: &ComponentAlias<'a>) -> Result<()> {
        match *alias {
            ComponentAlias::InstanceExport { instance_index, name, .. } => {
                self.alias_export(scope, instance_index, name)
            }
            ComponentAlias::Outer { kind, count, index } => {
                self.alias_outer(scope, kind, count, index)
            }
            ComponentAlias::CoreInstanceExport { .. } => Err(inconsistent("an alias")),
        }
    }

    pub(super) fn alias_export(&mut self, scope: ScopeId, instance: u32, name: &str) -> Result<()> {
        let scope = &mut self.scopes[scope];
        let instance = scope.instances.get(instance as usize);
        let item = instance.and_then(|instance| instance.get(name)).cloned();
        scope.push(item.ok_or_else(|| inconsistent("an alias"))?);
        Ok(())
    }

    pub(super) fn alias_outer(
        &mut self,
        scope: ScopeId,
        kind: ComponentOuterAliasKind,
        count: u32,
        index: u32,
    ) -> Result<()> {
        let mut outer = Some(scope);
        for _ in 0..count {
            self.spend(1)?;
            outer = outer.and_then(|outer| self.scopes[outer].outer);
        }
        let wrong = || inconsistent("an outer alias");
        let outer = &self.scopes[outer.ok_or_else(wrong)?];
        let index = index as usize;
        let item = match kind {
            ComponentOuterAliasKind::Type => outer.types.get(index).map(|ty| Item::Type(*ty)),
            ComponentOuterAliasKind::Component => {
                outer.components.get(index).map(|component| Item::Component(*component))
            }
            ComponentOuterAliasKind::CoreModule => {
                outer.modules.get(index).map(|module| Item::Module(*module))
            }
            ComponentOuterAliasKind::CoreType => {
                let ty = outer.core_types.get(index).copied().ok_or_else(wrong)?;
                self.scopes[scope].core_types.push(ty);
                return Ok(());
            }
        };
        self.scopes[scope].push(item.ok_or_else(wrong)?);
        Ok(())
    }

    /// A new scope within another.
    pub(super) fn open(&mut self, outer: Option<ScopeId>, instance: u32) -> Result<ScopeId> {
        self.spend(SCOPE_WORK)?;
        self.depth += 1;
        if self.depth > crate::tuning::MAX_NESTING {
            return Err(self.too_deep());
        }
        self.scopes.push(Scope { outer, instance, ..Scope::default() });
        Ok(self.scopes.len() - 1)
    }

    /// Leaves a scope; what is defined in it may still be used.
    pub(super) fn close(&mut self) {
        self.depth -= 1;
    }
}

/// What a scope costs beside what is in it.
const SCOPE_WORK: usize = 8;

fn primitive(ty: PrimitiveValType) -> InterfaceType {
    match ty {
        PrimitiveValType::Bool => InterfaceType::Bool,
        PrimitiveValType::S8 => InterfaceType::S8,
        PrimitiveValType::U8 => InterfaceType::U8,
        PrimitiveValType::S16 => InterfaceType::S16,
        PrimitiveValType::U16 => InterfaceType::U16,
        PrimitiveValType::S32 => InterfaceType::S32,
        PrimitiveValType::U32 => InterfaceType::U32,
        PrimitiveValType::S64 => InterfaceType::S64,
        PrimitiveValType::U64 => InterfaceType::U64,
        PrimitiveValType::F32 => InterfaceType::F32,
        PrimitiveValType::F64 => InterfaceType::F64,
        PrimitiveValType::Char => InterfaceType::Char,
        PrimitiveValType::String => InterfaceType::String,
        PrimitiveValType::ErrorContext => InterfaceType::ErrorContext,
    }
}
