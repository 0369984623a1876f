//! Handles as `wasmtime.h` has them: structures of the size and alignment of wasmtime 48's,
//! with a pointer where those have indices. Where they have no room for a pointer in one
//! piece it is in two, since who copies such a structure need not copy its padding.

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;

use runtime::{AsContextMut, Error, Extern, Func, Global, Instance, Memory, Table, Tag};

use crate::store::Data;

/// `wasmtime_func_t`; null if the store's number is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FuncWords {
    store: u64,
    pointer: *mut c_void,
}

/// `wasmtime_instance_t`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct InstanceWords {
    store: u64,
    pointer: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Front {
    store: u64,
    low: u32,
}

/// `wasmtime_table_t`, `wasmtime_memory_t`, `wasmtime_tag_t`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SplitWords {
    front: Front,
    high: u32,
}

/// `wasmtime_global_t`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GlobalWords {
    store: u64,
    low: u32,
    high: u32,
    unused: u32,
}

fn halves(word: usize) -> (u32, u32) {
    let word = word as u64;
    (word as u32, (word >> 32) as u32)
}

fn whole(low: u32, high: u32) -> usize {
    (u64::from(low) | u64::from(high) << 32) as usize
}

impl FuncWords {
    pub const NULL: FuncWords = FuncWords { store: 0, pointer: ptr::null_mut() };

    fn pack(store: u64, word: usize) -> FuncWords {
        FuncWords { store, pointer: ptr::without_provenance_mut(word) }
    }

    fn unpack(&self) -> (u64, usize) {
        (self.store, self.pointer.addr())
    }

    /// The function, or none for null.
    ///
    /// # Errors
    ///
    /// If it is of another store.
    pub fn get_nullable(
        &self,
        store: impl AsContextMut<Data = Data>,
    ) -> runtime::Result<Option<Func>> {
        if self.store == 0 { Ok(None) } else { self.get(store).map(Some) }
    }
}

impl InstanceWords {
    fn pack(store: u64, word: usize) -> InstanceWords {
        InstanceWords { store, pointer: word }
    }

    fn unpack(&self) -> (u64, usize) {
        (self.store, self.pointer)
    }
}

impl SplitWords {
    fn pack(store: u64, word: usize) -> SplitWords {
        let (low, high) = halves(word);
        SplitWords { front: Front { store, low }, high }
    }

    fn unpack(&self) -> (u64, usize) {
        (self.front.store, whole(self.front.low, self.high))
    }
}

impl GlobalWords {
    fn pack(store: u64, word: usize) -> GlobalWords {
        let (low, high) = halves(word);
        GlobalWords { store, low, high, unused: 0 }
    }

    fn unpack(&self) -> (u64, usize) {
        (self.store, whole(self.low, self.high))
    }
}

macro_rules! handles {
    ($($words:ident $handle:ident $get:ident;)*) => {$(
        impl From<$handle> for $words {
            fn from(handle: $handle) -> $words {
                let (store, word) = handle.to_words();
                $words::pack(store, word)
            }
        }

        impl $words {
            /// The handle.
            ///
            /// # Errors
            ///
            /// If it is none of the store.
            pub fn $get(
                &self,
                mut store: impl AsContextMut<Data = Data>,
            ) -> runtime::Result<$handle> {
                let (id, word) = self.unpack();
                if id != store.as_context_mut().id() {
                    return Err(Error::msg("object used with the wrong store"));
                }
                // SAFETY: words with the number of a store were given by a function of this
                // library; see the module's header.
                let handle = unsafe { $handle::from_words(id, word) };
                handle.ok_or_else(|| Error::msg("the handle is not of the store"))
            }
        }
    )*};
}

handles! {
    FuncWords Func get;
    InstanceWords Instance get;
    GlobalWords Global get;
    SplitWords Table table;
    SplitWords Memory memory;
    SplitWords Tag tag;
}

/// `wasmtime_extern_t`
#[repr(C)]
pub struct ExternWords {
    kind: u8,
    of: Of,
}

#[repr(C)]
union Of {
    func: FuncWords,
    global: GlobalWords,
    split: SplitWords,
    #[cfg(feature = "threads")]
    shared: ManuallyDrop<Box<runtime::SharedMemory>>,
}

const FUNC: u8 = 0;
const GLOBAL: u8 = 1;
const TABLE: u8 = 2;
const MEMORY: u8 = 3;
#[cfg(feature = "threads")]
const SHARED: u8 = 4;
const TAG: u8 = 5;

impl From<Extern> for ExternWords {
    fn from(item: Extern) -> ExternWords {
        let (kind, of) = match item {
            Extern::Func(func) => (FUNC, Of { func: func.into() }),
            Extern::Global(global) => (GLOBAL, Of { global: global.into() }),
            Extern::Table(table) => (TABLE, Of { split: table.into() }),
            Extern::Memory(memory) => (MEMORY, Of { split: memory.into() }),
            #[cfg(feature = "threads")]
            Extern::SharedMemory(memory) => {
                (SHARED, Of { shared: ManuallyDrop::new(Box::new(memory)) })
            }
            Extern::Tag(tag) => (TAG, Of { split: tag.into() }),
        };
        ExternWords { kind, of }
    }
}

impl ExternWords {
    /// What it is in a store.
    ///
    /// # Errors
    ///
    /// If it is nothing of the store.
    pub fn get(&self, store: impl AsContextMut<Data = Data>) -> runtime::Result<Extern> {
        // SAFETY: the kind says which field has been written; see the crate's header.
        unsafe {
            Ok(match self.kind {
                FUNC => self.of.func.get(store)?.into(),
                GLOBAL => self.of.global.get(store)?.into(),
                TABLE => self.of.split.table(store)?.into(),
                MEMORY => self.of.split.memory(store)?.into(),
                #[cfg(feature = "threads")]
                SHARED => runtime::SharedMemory::clone(&self.of.shared).into(),
                TAG => self.of.split.tag(store)?.into(),
                kind => return Err(Error::msg(format!("nothing external is of kind {kind}"))),
            })
        }
    }

    /// Lets go of what it owns.
    pub fn delete(&mut self) {
        #[cfg(feature = "threads")]
        if self.kind == SHARED {
            // SAFETY: as in `get`; this is the last use, for what is left is no shared memory.
            unsafe { ManuallyDrop::drop(&mut self.of.shared) }
        }
        self.kind = FUNC;
        self.of = Of { func: FuncWords::NULL };
    }
}

#[cfg(test)]
mod tests {
    use std::mem::{align_of, size_of};

    use super::*;

    #[test]
    fn handles_have_the_size_of_those_of_wasmtime() {
        assert_eq!(size_of::<InstanceWords>(), 8 + size_of::<usize>());
        assert_eq!(size_of::<SplitWords>(), 24);
        assert_eq!(size_of::<GlobalWords>(), 24);
        assert_eq!((size_of::<ExternWords>(), align_of::<ExternWords>()), (32, align_of::<u64>()));
        assert_eq!(whole(1, 0), 1);
        assert_eq!(halves(usize::MAX), (u32::MAX, (usize::MAX as u64 >> 32) as u32));
    }
}
