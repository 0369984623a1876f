//! The types of core modules.

use std::sync::Arc;

use wasmparser::{AbstractHeapType, ModuleTypeDeclaration, OuterAliasKind, SubType, TypeRef};
use zwasm::{
    Engine, ExternType, FuncType, GlobalType, HeapType, MemoryType, Module, Mutability, RefType,
    Result, TableType, TagType, ValType,
};

use super::flatten::Flattener;
use super::inconsistent;
use super::scope::{CoreTypeDef, ScopeId};
use crate::types::items::ModuleItems;

impl<'a> Flattener<'a> {
    /// The type of a module that is at hand.
    pub(super) fn static_module_type(&mut self, module: &'a Module) -> Result<Arc<ModuleItems>> {
        self.spend(module.imports().len() + module.exports().len())?;
        let imports = module.imports();
        let exports = module.exports();
        Ok(Arc::new(ModuleItems {
            imports: imports
                .map(|import| (self.name(import.module()), self.name(import.name()), import.ty()))
                .collect(),
            exports: exports.map(|export| (self.name(export.name()), export.ty())).collect(),
            partial: false,
        }))
    }

    /// The type that declarations make.
    pub(super) fn module_type(
        &mut self,
        declarations: &'a [ModuleTypeDeclaration<'a>],
        outer: ScopeId,
    ) -> Result<Arc<ModuleItems>> {
        self.spend(declarations.len())?;
        let engine = &self.parts.engine;
        let mut types: Vec<&'a SubType> = Vec::new();
        let mut items = ModuleItems::default();
        for declaration in declarations {
            match declaration {
                ModuleTypeDeclaration::Type(group) => {
                    self.spend(group.types().len())?;
                    types.extend(group.types());
                }
                ModuleTypeDeclaration::OuterAlias { kind: OuterAliasKind::Type, count, index } => {
                    // One is the scope that the module type is in.
                    let mut scope = Some(outer);
                    for _ in 1..*count {
                        self.spend(1)?;
                        scope = scope.and_then(|scope| self.scopes[scope].outer);
                    }
                    let scope = scope.map(|scope| &self.scopes[scope]);
                    match scope.and_then(|scope| scope.core_types.get(*index as usize)) {
                        Some(CoreTypeDef::Sub(ty)) => types.push(ty),
                        _ => return Err(inconsistent("an outer alias")),
                    }
                }
                ModuleTypeDeclaration::Import(import) => {
                    match extern_type(engine, &types, import.ty) {
                        Some(ty) => {
                            let (from, name) = (self.name(import.module), self.name(import.name));
                            items.imports.push((from, name, ty));
                        }
                        None => items.partial = true,
                    }
                }
                ModuleTypeDeclaration::Export { name, ty } => {
                    match extern_type(engine, &types, *ty) {
                        Some(ty) => items.exports.push((self.name(name), ty)),
                        None => items.partial = true,
                    }
                }
            }
        }
        Ok(Arc::new(items))
    }
}

/// The type of an item, if it does not name types that are defined beside it.
fn extern_type(engine: &Engine, types: &[&SubType], ty: TypeRef) -> Option<ExternType> {
    let func = |index: u32| -> Option<FuncType> {
        let ty = &types.get(index as usize)?.composite_type.inner;
        let wasmparser::CompositeInnerType::Func(ty) = ty else { return None };
        let all = |types: &[wasmparser::ValType]| -> Option<Vec<ValType>> {
            types.iter().map(|ty| val_type(*ty)).collect()
        };
        FuncType::try_new(engine, all(ty.params())?, all(ty.results())?).ok()
    };
    Some(match ty {
        TypeRef::Func(index) | TypeRef::FuncExact(index) => ExternType::Func(func(index)?),
        TypeRef::Tag(ty) => ExternType::Tag(TagType::new(func(ty.func_type_idx)?)),
        TypeRef::Global(ty) => {
            let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
            ExternType::Global(GlobalType::new(val_type(ty.content_type)?, mutability))
        }
        TypeRef::Table(ty) => {
            let element = ref_type(ty.element_type)?;
            let narrow = |size: u64| u32::try_from(size).ok();
            ExternType::Table(match ty.table64 {
                true => TableType::new64(element, ty.initial, ty.maximum),
                false => TableType::new(element, narrow(ty.initial)?, ty.maximum.and_then(narrow)),
            })
        }
        TypeRef::Memory(ty) => {
            let narrow = |size: u64| u32::try_from(size).ok();
            if ty.page_size_log2.is_some_and(|log2| log2 != 16) {
                return None;
            }
            ExternType::Memory(match (ty.memory64, ty.shared) {
                (true, true) => return None,
                (true, false) => MemoryType::new64(ty.initial, ty.maximum),
                (false, true) => MemoryType::shared(narrow(ty.initial)?, narrow(ty.maximum?)?),
                (false, false) => MemoryType::new(narrow(ty.initial)?, ty.maximum.and_then(narrow)),
            })
        }
    })
}

fn val_type(ty: wasmparser::ValType) -> Option<ValType> {
    Some(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ValType::Ref(ref_type(ty)?),
    })
}

fn ref_type(ty: wasmparser::RefType) -> Option<RefType> {
    let heap = match ty.heap_type() {
        wasmparser::HeapType::Abstract { shared: false, ty } => match ty {
            AbstractHeapType::Func => HeapType::Func,
            AbstractHeapType::NoFunc => HeapType::NoFunc,
            AbstractHeapType::Extern => HeapType::Extern,
            AbstractHeapType::NoExtern => HeapType::NoExtern,
            AbstractHeapType::Any => HeapType::Any,
            AbstractHeapType::Eq => HeapType::Eq,
            AbstractHeapType::I31 => HeapType::I31,
            AbstractHeapType::Struct => HeapType::Struct,
            AbstractHeapType::Array => HeapType::Array,
            AbstractHeapType::None => HeapType::None,
            AbstractHeapType::Exn => HeapType::Exn,
            AbstractHeapType::NoExn => HeapType::NoExn,
            AbstractHeapType::Cont | AbstractHeapType::NoCont => return None,
        },
        wasmparser::HeapType::Abstract { .. }
        | wasmparser::HeapType::Concrete(_)
        | wasmparser::HeapType::Exact(_) => return None,
    };
    Some(RefType::new(ty.is_nullable(), heap))
}
