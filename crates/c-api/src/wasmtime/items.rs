//! Memories, tables, globals and externals of all kinds.

use std::mem::MaybeUninit;
use std::ptr;

#[cfg(feature = "threads")]
use runtime::SharedMemory;
use runtime::{Error, Global, Memory, MemoryType, MemoryTypeBuilder, RootScope, Table};

use super::error::Failure;
use super::val::Val;
use super::words::{ExternWords, GlobalWords, SplitWords};
use super::{Context, fallible, giving};
use crate::types::ExternType;
use crate::vec::Ptr;
use crate::{attempt, guard, guard_or};

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_extern_delete(item: Option<&mut ExternWords>) {
    guard(|| {
        if let Some(item) = item {
            item.delete();
        }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_extern_type(context: &Context, item: &ExternWords) -> Ptr<ExternType> {
    attempt(|| {
        let item = item.get(context.context())?;
        Ok(Box::new(ExternType::new(&item.ty(context.context()))))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_global_new(
    context: &Context,
    ty: &ExternType,
    value: &Val,
    out: &mut MaybeUninit<GlobalWords>,
) -> Ptr<Failure> {
    giving(out, || {
        let ty = ty.global().ok_or_else(|| Error::msg("the type is not a global's"))?;
        let mut scope = RootScope::new(context.context());
        let value = value.get(&mut scope)?;
        Ok(Global::new(&mut scope, ty, value)?.into())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_global_type(context: &Context, global: &GlobalWords) -> Ptr<ExternType> {
    attempt(|| {
        let global = global.get(context.context())?;
        Ok(Box::new(ExternType::from_global(&global.ty(context.context()))))
    })
}

/// Writes the value; 0 if the global is of another store.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_global_get(
    context: &Context,
    global: &GlobalWords,
    out: &mut MaybeUninit<Val>,
) {
    let value = attempt(|| {
        let global = global.get(context.context())?;
        let mut scope = RootScope::new(context.context());
        let value = global.get(&mut scope);
        Val::new(&mut scope, value)
    });
    out.write(value.unwrap_or_default());
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_global_set(
    context: &Context,
    global: &GlobalWords,
    value: &Val,
) -> Ptr<Failure> {
    fallible(|| {
        let global = global.get(context.context())?;
        let mut scope = RootScope::new(context.context());
        let value = value.get(&mut scope)?;
        global.set(&mut scope, value)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_table_new(
    context: &Context,
    ty: &ExternType,
    init: &Val,
    out: &mut MaybeUninit<SplitWords>,
) -> Ptr<Failure> {
    giving(out, || {
        let ExternType::Table { ty, .. } = ty else {
            return Err(Error::msg("the type is not a table's"));
        };
        let mut scope = RootScope::new(context.context());
        let init = init.reference(&mut scope)?;
        Ok(Table::new(&mut scope, ty.clone(), init)?.into())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_table_type(context: &Context, table: &SplitWords) -> Ptr<ExternType> {
    attempt(|| {
        let table = table.table(context.context())?;
        Ok(Box::new(ExternType::from_table(&table.ty(context.context()))))
    })
}

/// Writes an element; false if there is none at this index.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_table_get(
    context: &Context,
    table: &SplitWords,
    index: u64,
    out: &mut MaybeUninit<Val>,
) -> bool {
    let value = attempt(|| {
        let table = table.table(context.context())?;
        let mut scope = RootScope::new(context.context());
        let value = table.get(&mut scope, index);
        value.map(|value| Val::new(&mut scope, value.into())).transpose()
    });
    value.flatten().map(|value| out.write(value)).is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_table_set(
    context: &Context,
    table: &SplitWords,
    index: u64,
    value: &Val,
) -> Ptr<Failure> {
    fallible(|| {
        let table = table.table(context.context())?;
        let mut scope = RootScope::new(context.context());
        let value = value.reference(&mut scope)?;
        table.set(&mut scope, index, value)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_table_size(context: &Context, table: &SplitWords) -> u64 {
    attempt(|| Ok(table.table(context.context())?.size(context.context()))).unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_table_grow(
    context: &Context,
    table: &SplitWords,
    delta: u64,
    init: &Val,
    old_size: Option<&mut MaybeUninit<u64>>,
) -> Ptr<Failure> {
    fallible(|| {
        let table = table.table(context.context())?;
        let mut scope = RootScope::new(context.context());
        let init = init.reference(&mut scope)?;
        let old = table.grow(&mut scope, delta, init)?;
        if let Some(old_size) = old_size {
            old_size.write(old);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_new(
    min: u64,
    has_max: bool,
    max: u64,
    is_64: bool,
    shared: bool,
    page_size_log2: u8,
    out: &mut MaybeUninit<Ptr<ExternType>>,
) -> Ptr<Failure> {
    giving(out, || {
        let mut ty = MemoryTypeBuilder::new();
        ty.min(min).max(has_max.then_some(max)).memory64(is_64).shared(shared);
        let ty = ty.page_size_log2(page_size_log2).build()?;
        Ok(Some(Box::new(ExternType::from_memory(ty))))
    })
}

fn memory_type(ty: &ExternType) -> Option<&MemoryType> {
    match ty {
        ExternType::Memory { ty, .. } => Some(ty),
        _ => None,
    }
}

/// Pages.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_minimum(ty: &ExternType) -> u64 {
    memory_type(ty).map_or(0, MemoryType::minimum)
}

/// Whether there is a maximum, which is written.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_maximum(ty: &ExternType, out: &mut MaybeUninit<u64>) -> bool {
    let maximum = memory_type(ty).and_then(MemoryType::maximum);
    maximum.map(|maximum| out.write(maximum)).is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_is64(ty: &ExternType) -> bool {
    memory_type(ty).is_some_and(MemoryType::is_64)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_isshared(ty: &ExternType) -> bool {
    memory_type(ty).is_some_and(MemoryType::is_shared)
}

/// Bytes.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_page_size(ty: &ExternType) -> u64 {
    memory_type(ty).map_or(0, MemoryType::page_size)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memorytype_page_size_log2(ty: &ExternType) -> u8 {
    memory_type(ty).map_or(0, MemoryType::page_size_log2)
}

fn memory_type_of(ty: &ExternType) -> runtime::Result<MemoryType> {
    memory_type(ty).copied().ok_or_else(|| Error::msg("the type is not a memory's"))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memory_new(
    context: &Context,
    ty: &ExternType,
    out: &mut MaybeUninit<SplitWords>,
) -> Ptr<Failure> {
    giving(out, || Ok(Memory::new(context.context(), memory_type_of(ty)?)?.into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memory_type(context: &Context, memory: &SplitWords) -> Ptr<ExternType> {
    attempt(|| {
        let ty = memory.memory(context.context())?.ty(context.context());
        Ok(Box::new(ExternType::from_memory(ty)))
    })
}

/// Where the contents are, until the memory grows; null for one of another store.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memory_data(context: &Context, memory: &SplitWords) -> *mut u8 {
    let data = || Ok(memory.memory(context.context())?.data_ptr(context.context()));
    guard_or(ptr::null_mut, || attempt(data).unwrap_or(ptr::null_mut()))
}

/// Asks a memory; 0 for one of another store.
macro_rules! sizes {
    ($($name:ident $get:ident $ty:ty;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(context: &Context, memory: &SplitWords) -> $ty {
            attempt(|| Ok(memory.memory(context.context())?.$get(context.context()))).unwrap_or(0)
        }
    )*};
}

sizes! {
    wasmtime_memory_data_size data_size usize;
    wasmtime_memory_size size u64;
    wasmtime_memory_page_size page_size u64;
    wasmtime_memory_page_size_log2 page_size_log2 u8;
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_memory_grow(
    context: &Context,
    memory: &SplitWords,
    delta: u64,
    old_size: Option<&mut MaybeUninit<u64>>,
) -> Ptr<Failure> {
    fallible(|| {
        let memory = memory.memory(context.context())?;
        let old = memory.grow(context.context(), delta)?;
        if let Some(old_size) = old_size {
            old_size.write(old);
        }
        Ok(())
    })
}

/// `wasmtime_sharedmemory_t` is the runtime's.
#[cfg(feature = "threads")]
mod shared {
    use super::*;
    use runtime::Engine;

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_new(
        engine: &Engine,
        ty: &ExternType,
        out: &mut MaybeUninit<Ptr<SharedMemory>>,
    ) -> Ptr<Failure> {
        giving(out, || Ok(Some(Box::new(SharedMemory::new(engine, memory_type_of(ty)?)?))))
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_delete(memory: Ptr<SharedMemory>) {
        guard(|| drop(memory));
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_clone(memory: &SharedMemory) -> Ptr<SharedMemory> {
        attempt(|| Ok(Box::new(memory.clone())))
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_type(memory: &SharedMemory) -> Ptr<ExternType> {
        attempt(|| Ok(Box::new(ExternType::from_memory(memory.ty()))))
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_data(memory: &SharedMemory) -> *mut u8 {
        memory.data_ptr()
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_data_size(memory: &SharedMemory) -> usize {
        memory.data_size()
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_size(memory: &SharedMemory) -> u64 {
        memory.size()
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn wasmtime_sharedmemory_grow(
        memory: &SharedMemory,
        delta: u64,
        old_size: Option<&mut MaybeUninit<u64>>,
    ) -> Ptr<Failure> {
        fallible(|| {
            let old = memory.grow(delta)?;
            if let Some(old_size) = old_size {
                old_size.write(old);
            }
            Ok(())
        })
    }
}
