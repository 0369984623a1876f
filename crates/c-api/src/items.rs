//! Globals, tables, memories, tags, and what they have in common as externals.

use std::mem::MaybeUninit;
use std::ptr;

#[cfg(feature = "threads")]
use runtime::SharedMemory;
use runtime::{Error, Extern, Global, Memory, RootScope, Table, Tag};

use crate::object::{Body, Object};
use crate::store::StoreRef;
use crate::types::ExternType;
use crate::value::{Val, to_reference};
use crate::vec::Ptr;
use crate::{attempt, guard};

fn object(store: &StoreRef, item: impl Into<Extern>) -> Box<Object> {
    Object::of_store(store, Body::Extern(item.into()))
}

/// The store and the external that an object is.
fn external(object: &Object) -> runtime::Result<(&StoreRef, &Extern)> {
    object.external().ok_or_else(|| Error::msg("the object cannot be imported or exported"))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_kind(object: &Object) -> u8 {
    match object.external() {
        Some((_, Extern::Func(_))) => 0,
        Some((_, Extern::Global(_))) => 1,
        Some((_, Extern::Table(_))) => 2,
        Some((_, Extern::Memory(_))) => 3,
        #[cfg(feature = "threads")]
        Some((_, Extern::SharedMemory(_))) => 3,
        Some((_, Extern::Tag(_))) => 4,
        None => u8::MAX,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_type(object: &Object) -> Ptr<ExternType> {
    attempt(|| {
        let (store, item) = external(object)?;
        Ok(Box::new(ExternType::new(&item.ty(store.context()))))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_type(object: &Object) -> Ptr<ExternType> {
    wasm_extern_type(object)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_type(object: &Object) -> Ptr<ExternType> {
    wasm_extern_type(object)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_type(object: &Object) -> Ptr<ExternType> {
    wasm_extern_type(object)
}

/// A tag, which `wasm.h` has the type of, but nothing that makes one.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_tag_new(store: &StoreRef, ty: &ExternType) -> Ptr<Object> {
    attempt(|| {
        let ty = ty.tag(&store.engine()).ok_or_else(|| Error::msg("the type is not a tag's"))?;
        Ok(object(store, Tag::new(store.context(), &ty)?))
    })
}

fn global(object: &Object) -> runtime::Result<(&StoreRef, Global)> {
    match object.external() {
        Some((store, Extern::Global(global))) => Ok((store, *global)),
        _ => Err(Error::msg("the object is not a global")),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_new(store: &StoreRef, ty: &ExternType, value: &Val) -> Ptr<Object> {
    attempt(|| {
        let ty = ty.global().ok_or_else(|| Error::msg("the type is not a global's"))?;
        let mut scope = RootScope::new(store.context());
        let value = value.to_runtime(&mut scope, ty.content())?;
        Ok(object(store, Global::new(&mut scope, ty, value)?))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_get(object: &Object, out: &mut MaybeUninit<Val>) {
    let value = attempt(|| {
        let (store, global) = global(object)?;
        let mut scope = RootScope::new(store.context());
        let value = global.get(&mut scope);
        Val::from_runtime(store, &mut scope, value)
    });
    out.write(value.unwrap_or_default());
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_set(object: &Object, value: &Val) {
    attempt(|| {
        let (store, global) = global(object)?;
        let mut scope = RootScope::new(store.context());
        let ty = global.ty(&scope);
        let value = value.to_runtime(&mut scope, ty.content())?;
        global.set(&mut scope, value)
    });
}

fn table(object: &Object) -> runtime::Result<(&StoreRef, Table)> {
    match object.external() {
        Some((store, Extern::Table(table))) => Ok((store, *table)),
        _ => Err(Error::msg("the object is not a table")),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_new(
    store: &StoreRef,
    ty: &ExternType,
    init: Option<&Object>,
) -> Ptr<Object> {
    attempt(|| {
        let ExternType::Table { ty, .. } = ty else {
            return Err(Error::msg("the type is not a table's"));
        };
        let mut scope = RootScope::new(store.context());
        let init = to_reference(&mut scope, init, ty.element())?;
        Ok(object(store, Table::new(&mut scope, ty.clone(), init)?))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_get(object: &Object, index: u32) -> Ptr<Object> {
    attempt(|| {
        let (store, table) = table(object)?;
        let mut scope = RootScope::new(store.context());
        let value = table.get(&mut scope, index.into());
        let value = value.ok_or_else(|| Error::msg("the table has no such element"))?;
        Ok(Val::from_runtime(store, &mut scope, value.into())?.into_object())
    })
    .flatten()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_set(object: &Object, index: u32, value: Option<&Object>) -> bool {
    attempt(|| {
        let (store, table) = table(object)?;
        let mut scope = RootScope::new(store.context());
        let ty = table.ty(&scope);
        let value = to_reference(&mut scope, value, ty.element())?;
        table.set(&mut scope, index.into(), value)
    })
    .is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_size(object: &Object) -> u32 {
    attempt(|| {
        let (store, table) = table(object)?;
        Ok(u32::try_from(table.size(store.context())).unwrap_or(u32::MAX))
    })
    .unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_grow(object: &Object, delta: u32, init: Option<&Object>) -> bool {
    attempt(|| {
        let (store, table) = table(object)?;
        let mut scope = RootScope::new(store.context());
        let ty = table.ty(&scope);
        let init = to_reference(&mut scope, init, ty.element())?;
        table.grow(&mut scope, delta.into(), init)
    })
    .is_some()
}

/// A memory of either kind.
enum AnyMemory<'a> {
    Own(&'a StoreRef, Memory),
    #[cfg(feature = "threads")]
    Shared(&'a SharedMemory),
}

impl AnyMemory<'_> {
    fn of(object: &Object) -> Option<AnyMemory<'_>> {
        match object.external()? {
            (store, Extern::Memory(memory)) => Some(AnyMemory::Own(store, *memory)),
            #[cfg(feature = "threads")]
            (_, Extern::SharedMemory(memory)) => Some(AnyMemory::Shared(memory)),
            _ => None,
        }
    }

    fn data(&self) -> *mut u8 {
        match self {
            AnyMemory::Own(store, memory) => memory.data_ptr(store.context()),
            #[cfg(feature = "threads")]
            AnyMemory::Shared(memory) => memory.data_ptr(),
        }
    }

    fn data_size(&self) -> usize {
        match self {
            AnyMemory::Own(store, memory) => memory.data_size(store.context()),
            #[cfg(feature = "threads")]
            AnyMemory::Shared(memory) => memory.data_size(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            AnyMemory::Own(store, memory) => memory.size(store.context()),
            #[cfg(feature = "threads")]
            AnyMemory::Shared(memory) => memory.size(),
        }
    }

    fn grow(&self, delta: u64) -> runtime::Result<u64> {
        match self {
            AnyMemory::Own(store, memory) => memory.grow(store.context(), delta),
            #[cfg(feature = "threads")]
            AnyMemory::Shared(memory) => memory.grow(delta),
        }
    }
}

fn memory(object: &Object) -> runtime::Result<AnyMemory<'_>> {
    AnyMemory::of(object).ok_or_else(|| Error::msg("the object is not a memory"))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_new(store: &StoreRef, ty: &ExternType) -> Ptr<Object> {
    attempt(|| {
        let ExternType::Memory { ty, .. } = ty else {
            return Err(Error::msg("the type is not a memory's"));
        };
        #[cfg(feature = "threads")]
        if ty.is_shared() {
            return Ok(object(store, SharedMemory::new(&store.engine(), *ty)?));
        }
        Ok(object(store, Memory::new(store.context(), *ty)?))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_data(object: &Object) -> *mut u8 {
    crate::guard_or(ptr::null_mut, || memory(object).map_or(ptr::null_mut(), |all| all.data()))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_data_size(object: &Object) -> usize {
    guard(|| memory(object).map_or(0, |memory| memory.data_size()))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_size(object: &Object) -> u32 {
    guard(|| memory(object).map_or(0, |memory| memory.size().try_into().unwrap_or(u32::MAX)))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_grow(object: &Object, delta: u32) -> bool {
    attempt(|| memory(object)?.grow(delta.into())).is_some()
}
