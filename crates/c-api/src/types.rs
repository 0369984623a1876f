//! Types of values and of what can be imported and exported.
//!
//! All types of externals are one Rust type, so that `wasm_functype_as_externtype`
//! and its relatives hand back the pointer they were given. Each keeps what C asks
//! for by pointer beside the runtime's own type, which says more than `wasm.h` can:
//! exact references, 64-bit limits.

use runtime::{Engine, FuncType, GlobalType, HeapType, Mutability, RefType, TagType};

use crate::guard;
use crate::vec::{CVec, Ptr};

/// The kinds of values, as `wasm.h` and `zwasm.h` number them.
pub mod kind {
    pub const I32: u8 = 0;
    pub const I64: u8 = 1;
    pub const F32: u8 = 2;
    pub const F64: u8 = 3;
    pub const V128: u8 = 4;
    pub const EXTERNREF: u8 = 128;
    pub const FUNCREF: u8 = 129;
    pub const ANYREF: u8 = 130;
    pub const EXNREF: u8 = 131;

    /// Whether values of a kind are references.
    pub fn is_ref(kind: u8) -> bool {
        kind >= EXTERNREF
    }
}

/// `wasm_valtype_t`
#[derive(Clone)]
pub struct ValType {
    kind: u8,
    pub ty: runtime::ValType,
}

impl ValType {
    /// A type of the runtime's.
    pub fn new(ty: runtime::ValType) -> ValType {
        use runtime::ValType::*;
        let kind = match &ty {
            I32 => kind::I32,
            I64 => kind::I64,
            F32 => kind::F32,
            F64 => kind::F64,
            V128 => kind::V128,
            Ref(ty) => match ty.heap_type().top() {
                HeapType::Func => kind::FUNCREF,
                HeapType::Extern => kind::EXTERNREF,
                HeapType::Exn => kind::EXNREF,
                _ => kind::ANYREF,
            },
        };
        ValType { kind, ty }
    }

    pub fn kind(&self) -> u8 {
        self.kind
    }

    fn of_kind(kind: u8) -> Option<ValType> {
        let any = RefType::new(true, HeapType::Any);
        let ty = match kind {
            kind::I32 => runtime::ValType::I32,
            kind::I64 => runtime::ValType::I64,
            kind::F32 => runtime::ValType::F32,
            kind::F64 => runtime::ValType::F64,
            kind::V128 => runtime::ValType::V128,
            kind::EXTERNREF => runtime::ValType::EXTERNREF,
            kind::FUNCREF => runtime::ValType::FUNCREF,
            kind::ANYREF => runtime::ValType::Ref(any),
            kind::EXNREF => runtime::ValType::EXNREF,
            _ => return None,
        };
        Some(ValType { kind, ty })
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_new(kind: u8) -> Ptr<ValType> {
    let ty = ValType::of_kind(kind);
    if ty.is_none() {
        crate::set_last_error("there is no such kind of value");
    }
    ty.map(Box::new)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_kind(ty: &ValType) -> u8 {
    ty.kind
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_copy(ty: &ValType) -> Box<ValType> {
    Box::new(ty.clone())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_delete(_: Ptr<ValType>) {}

/// `wasm_limits_t`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Limits {
    min: u32,
    max: u32,
}

impl Limits {
    /// Limits beyond 32 bits are shown as the largest.
    fn new(min: u64, max: Option<u64>) -> Limits {
        let narrow = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
        Limits { min: narrow(min), max: max.map_or(u32::MAX, narrow) }
    }

    fn max(self) -> Option<u32> {
        (self.max != u32::MAX).then_some(self.max)
    }
}

/// `wasm_externtype_t` and the types it stands for.
#[derive(Clone)]
pub enum ExternType {
    /// The type is none until it is one of an engine.
    Func {
        params: CVec<Ptr<ValType>>,
        results: CVec<Ptr<ValType>>,
        ty: Option<FuncType>,
    },
    Global {
        content: ValType,
        mutability: Mutability,
    },
    Table {
        element: ValType,
        limits: Limits,
        ty: runtime::TableType,
    },
    Memory {
        limits: Limits,
        ty: runtime::MemoryType,
    },
    Tag {
        func: Box<ExternType>,
    },
}

impl ExternType {
    pub fn from_func(ty: &FuncType) -> ExternType {
        let new = |ty| Some(Box::new(ValType::new(ty)));
        ExternType::Func {
            params: ty.params().map(new).collect(),
            results: ty.results().map(new).collect(),
            ty: Some(ty.clone()),
        }
    }

    pub fn from_global(ty: &GlobalType) -> ExternType {
        let content = ValType::new(ty.content().clone());
        ExternType::Global { content, mutability: ty.mutability() }
    }

    pub fn from_table(ty: &runtime::TableType) -> ExternType {
        ExternType::Table {
            element: ValType::new(ty.element().clone().into()),
            limits: Limits::new(ty.minimum(), ty.maximum()),
            ty: ty.clone(),
        }
    }

    pub fn from_memory(ty: runtime::MemoryType) -> ExternType {
        ExternType::Memory { limits: Limits::new(ty.minimum(), ty.maximum()), ty }
    }

    /// A type of the runtime's.
    pub fn new(ty: &runtime::ExternType) -> ExternType {
        use runtime::ExternType::*;
        match ty {
            Func(ty) => ExternType::from_func(ty),
            Global(ty) => ExternType::from_global(ty),
            Table(ty) => ExternType::from_table(ty),
            Memory(ty) => ExternType::from_memory(*ty),
            Tag(ty) => ExternType::Tag { func: Box::new(ExternType::from_func(ty.ty())) },
        }
    }

    /// The function type in an engine, if it is one; that of another engine, if it names a
    /// type of that.
    pub fn func(&self, engine: &Engine) -> Option<FuncType> {
        let ExternType::Func { params, results, ty } = self else { return None };
        if let Some(ty) = ty.as_ref().filter(|ty| Engine::same(ty.engine(), engine)) {
            return Some(ty.clone());
        }
        let types = |types: &CVec<Ptr<ValType>>| -> Vec<runtime::ValType> {
            types.as_slice().iter().flatten().map(|ty| ty.ty.clone()).collect()
        };
        FuncType::try_new(engine, types(params), types(results)).ok().or_else(|| ty.clone())
    }

    /// The global type, if it is one.
    pub fn global(&self) -> Option<GlobalType> {
        match self {
            ExternType::Global { content, mutability } => {
                Some(GlobalType::new(content.ty.clone(), *mutability))
            }
            _ => None,
        }
    }

    /// The tag type in an engine, if it is one.
    pub fn tag(&self, engine: &Engine) -> Option<TagType> {
        match self {
            ExternType::Tag { func } => func.func(engine).map(TagType::new),
            _ => None,
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_new(
    params: &mut CVec<Ptr<ValType>>,
    results: &mut CVec<Ptr<ValType>>,
) -> Box<ExternType> {
    let (params, results) = (std::mem::take(params), std::mem::take(results));
    Box::new(ExternType::Func { params, results, ty: None })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_params(ty: &ExternType) -> Option<&CVec<Ptr<ValType>>> {
    match ty {
        ExternType::Func { params, .. } => Some(params),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_results(ty: &ExternType) -> Option<&CVec<Ptr<ValType>>> {
    match ty {
        ExternType::Func { results, .. } => Some(results),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_new(content: Ptr<ValType>, mutability: u8) -> Ptr<ExternType> {
    let mutability = if mutability == 0 { Mutability::Const } else { Mutability::Var };
    Some(Box::new(ExternType::Global { content: *content?, mutability }))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_content(ty: &ExternType) -> Option<&ValType> {
    match ty {
        ExternType::Global { content, .. } => Some(content),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_mutability(ty: &ExternType) -> u8 {
    matches!(ty, ExternType::Global { mutability: Mutability::Var, .. }).into()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_new(element: Ptr<ValType>, limits: &Limits) -> Ptr<ExternType> {
    let element = *element?;
    let Some(reference) = element.ty.as_ref().cloned() else {
        crate::set_last_error("the elements of a table are references");
        return None;
    };
    let ty = runtime::TableType::new(reference, limits.min, limits.max());
    Some(Box::new(ExternType::Table { element, limits: *limits, ty }))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_element(ty: &ExternType) -> Option<&ValType> {
    match ty {
        ExternType::Table { element, .. } => Some(element),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_limits(ty: &ExternType) -> Option<&Limits> {
    match ty {
        ExternType::Table { limits, .. } => Some(limits),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_new(limits: &Limits) -> Box<ExternType> {
    let ty = runtime::MemoryType::new(limits.min, limits.max());
    Box::new(ExternType::Memory { limits: *limits, ty })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_limits(ty: &ExternType) -> Option<&Limits> {
    match ty {
        ExternType::Memory { limits, .. } => Some(limits),
        _ => None,
    }
}

/// A memory with 64-bit addresses; without a maximum if that is `UINT64_MAX`.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_memorytype_new64(min: u64, max: u64) -> Box<ExternType> {
    let max = (max != u64::MAX).then_some(max);
    Box::new(ExternType::from_memory(runtime::MemoryType::new64(min, max)))
}

/// A memory that threads share.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_memorytype_new_shared(limits: &Limits) -> Box<ExternType> {
    let ty = runtime::MemoryType::shared(limits.min, limits.max);
    Box::new(ExternType::Memory { limits: *limits, ty })
}

/// Whether addresses are 64 bits wide.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_memorytype_is64(ty: &ExternType) -> bool {
    matches!(ty, ExternType::Memory { ty, .. } if ty.is_64())
}

/// Whether threads may share the memory.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_memorytype_is_shared(ty: &ExternType) -> bool {
    matches!(ty, ExternType::Memory { ty, .. } if ty.is_shared())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_new(func: Ptr<ExternType>) -> Ptr<ExternType> {
    Some(Box::new(ExternType::Tag { func: func? }))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_functype(ty: &ExternType) -> Option<&ExternType> {
    match ty {
        ExternType::Tag { func } => Some(func),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_kind(ty: &ExternType) -> u8 {
    match ty {
        ExternType::Func { .. } => 0,
        ExternType::Global { .. } => 1,
        ExternType::Table { .. } => 2,
        ExternType::Memory { .. } => 3,
        ExternType::Tag { .. } => 4,
    }
}

/// Copying and deleting.
macro_rules! copies {
    ($($name:literal $ty:ty;)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("wasm_", $name, "_copy"))]
            pub extern "C" fn copy(ty: &$ty) -> Ptr<$ty> {
                guard(|| Some(Box::new(ty.clone())))
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_delete"))]
            pub extern "C" fn delete(_: Ptr<$ty>) {}
        };
    )*};
}

copies! {
    "functype" ExternType;
    "globaltype" ExternType;
    "tabletype" ExternType;
    "memorytype" ExternType;
    "tagtype" ExternType;
    "externtype" ExternType;
    "importtype" ImportType;
    "exporttype" ExportType;
}

/// Casts between a kind of external's type and `wasm_externtype_t`.
macro_rules! casts {
    ($($name:literal $variant:ident;)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("wasm_", $name, "_as_externtype"))]
            pub extern "C" fn up(ty: *mut ExternType) -> *mut ExternType {
                ty
            }

            #[unsafe(export_name = concat!("wasm_", $name, "_as_externtype_const"))]
            pub extern "C" fn up_const(ty: Option<&ExternType>) -> Option<&ExternType> {
                ty
            }

            #[unsafe(export_name = concat!("wasm_externtype_as_", $name))]
            pub unsafe extern "C" fn down(ty: *mut ExternType) -> *mut ExternType {
                // SAFETY: see the crate's header.
                let is = matches!(unsafe { ty.as_ref() }, Some(ExternType::$variant { .. }));
                if is { ty } else { std::ptr::null_mut() }
            }

            #[unsafe(export_name = concat!("wasm_externtype_as_", $name, "_const"))]
            pub extern "C" fn down_const(ty: Option<&ExternType>) -> Option<&ExternType> {
                ty.filter(|ty| matches!(ty, ExternType::$variant { .. }))
            }
        };
    )*};
}

casts! {
    "functype" Func;
    "globaltype" Global;
    "tabletype" Table;
    "memorytype" Memory;
    "tagtype" Tag;
}

/// `wasm_importtype_t`
#[derive(Clone)]
pub struct ImportType {
    module: CVec<u8>,
    name: CVec<u8>,
    ty: Ptr<ExternType>,
}

/// `wasm_exporttype_t`
#[derive(Clone)]
pub struct ExportType {
    name: CVec<u8>,
    ty: Ptr<ExternType>,
}

impl ImportType {
    pub fn new(import: &runtime::ImportType<'_>) -> ImportType {
        ImportType {
            module: import.module().as_bytes().to_vec().into(),
            name: import.name().as_bytes().to_vec().into(),
            ty: Some(Box::new(ExternType::new(&import.ty()))),
        }
    }
}

impl ExportType {
    pub fn new(export: &runtime::ExportType<'_>) -> ExportType {
        ExportType {
            name: export.name().as_bytes().to_vec().into(),
            ty: Some(Box::new(ExternType::new(&export.ty()))),
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_new(
    module: &mut CVec<u8>,
    name: &mut CVec<u8>,
    ty: Ptr<ExternType>,
) -> Box<ImportType> {
    let (module, name) = (std::mem::take(module), std::mem::take(name));
    Box::new(ImportType { module, name, ty })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_module(import: &ImportType) -> &CVec<u8> {
    &import.module
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_name(import: &ImportType) -> &CVec<u8> {
    &import.name
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_importtype_type(import: &ImportType) -> Option<&ExternType> {
    import.ty.as_deref()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_new(name: &mut CVec<u8>, ty: Ptr<ExternType>) -> Box<ExportType> {
    Box::new(ExportType { name: std::mem::take(name), ty })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_name(export: &ExportType) -> &CVec<u8> {
    &export.name
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_exporttype_type(export: &ExportType) -> Option<&ExternType> {
    export.ty.as_deref()
}
