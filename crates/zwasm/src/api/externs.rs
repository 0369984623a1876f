//! Memories, tables, globals and tags of a store.

use std::any::Any;

use std::ptr::NonNull;

use super::func::Func;
#[cfg(feature = "threads")]
use super::shared::SharedMemory;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, expect};
use super::table::Table;
use super::types::{ExternType, FuncType, GlobalType, TagType};
use super::val::Val;
use crate::engine::Engine;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::store::instance::Item;
use crate::store::stored::Stored;
use crate::store::{GlobalInst, MemoryInst, StoreCore, TagInst};
use crate::types::{MemoryType, Mutability};

/// Something that can be imported or exported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A memory that threads share.
    #[cfg(feature = "threads")]
    SharedMemory(SharedMemory),
    /// A global.
    Global(Global),
    /// An exception tag.
    Tag(Tag),
}

impl Extern {
    /// # Safety
    ///
    /// `core` is valid and owns the item.
    pub(crate) unsafe fn from_item(core: *const StoreCore, item: Item) -> Extern {
        // SAFETY: by the contract.
        unsafe {
            match item {
                Item::Func(record) => Extern::Func(Func(Stored::new(core, record))),
                Item::Table(table) => Extern::Table(Table(Stored::new(core, table))),
                Item::Memory(memory) => Extern::from_memory(core, memory),
                Item::Global(global) => Extern::Global(Global(Stored::new(core, global))),
                Item::Tag(tag) => Extern::Tag(Tag(Stored::new(core, tag))),
            }
        }
    }

    /// # Safety
    ///
    /// As [`Extern::from_item`].
    unsafe fn from_memory(core: *const StoreCore, memory: NonNull<MemoryInst>) -> Extern {
        // SAFETY: by the contract.
        unsafe {
            #[cfg(feature = "threads")]
            if let Some(shared) = memory.as_ref().as_shared() {
                return Extern::SharedMemory(SharedMemory::from_core(shared, &(*core).engine));
            }
            Extern::Memory(Memory(Stored::new(core, memory)))
        }
    }

    /// The item, if it is of this store.
    pub(crate) fn item(&self, core: *mut StoreCore) -> Option<Item> {
        Some(match self {
            Extern::Func(func) => Item::Func(func.0.checked(core)?),
            Extern::Table(table) => Item::Table(table.0.checked(core)?),
            Extern::Memory(memory) => Item::Memory(memory.0.checked(core)?),
            #[cfg(feature = "threads")]
            Extern::SharedMemory(memory) => {
                // SAFETY: contexts only give out pointers to live stores, and this one
                // is exclusive.
                let store = unsafe { &mut *core };
                let ours = Engine::same(memory.engine(), &store.engine);
                Item::Memory(ours.then(|| store.shared_memory(&memory.core))?)
            }
            Extern::Global(global) => Item::Global(global.0.checked(core)?),
            Extern::Tag(tag) => Item::Tag(tag.0.checked(core)?),
        })
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        match self {
            Extern::Func(func) => Some(func),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        match self {
            Extern::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The shared memory, if it is one.
    #[cfg(feature = "threads")]
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        match self {
            Extern::SharedMemory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The memory, if it is one that is not shared.
    pub fn into_memory(self) -> Option<Memory> {
        match self {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        match self {
            Extern::Global(global) => Some(global),
            _ => None,
        }
    }

    /// The tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        match self {
            Extern::Tag(tag) => Some(tag),
            _ => None,
        }
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        match self {
            Extern::Func(func) => ExternType::Func(func.ty(store)),
            Extern::Table(table) => ExternType::Table(table.ty(store)),
            Extern::Memory(memory) => ExternType::Memory(memory.ty(store)),
            #[cfg(feature = "threads")]
            Extern::SharedMemory(memory) => ExternType::Memory(memory.ty()),
            Extern::Global(global) => ExternType::Global(global.ty(store)),
            Extern::Tag(tag) => ExternType::Tag(tag.ty(store)),
        }
    }
}

macro_rules! extern_from {
    ($($ty:ident)*) => {$(
        impl From<$ty> for Extern {
            fn from(item: $ty) -> Extern {
                Extern::$ty(item)
            }
        }
    )*};
}
extern_from!(Func Table Memory Global Tag);
#[cfg(feature = "threads")]
extern_from!(SharedMemory);

/// Something that an instance exports, see [`Instance::exports`](crate::Instance::exports).
#[derive(Clone, Debug)]
pub struct Export<'instance> {
    name: &'instance str,
    definition: Extern,
}

impl<'instance> Export<'instance> {
    pub(super) fn new(name: &'instance str, definition: Extern) -> Export<'instance> {
        Export { name, definition }
    }

    /// The name.
    pub fn name(&self) -> &'instance str {
        self.name
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.definition.ty(store)
    }

    /// What is exported.
    pub fn into_extern(self) -> Extern {
        self.definition
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        self.definition.into_func()
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        self.definition.into_table()
    }

    /// The memory, if it is one that is not shared.
    pub fn into_memory(self) -> Option<Memory> {
        self.definition.into_memory()
    }

    /// The shared memory, if it is one.
    #[cfg(feature = "threads")]
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        self.definition.into_shared_memory()
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        self.definition.into_global()
    }

    /// The tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        self.definition.into_tag()
    }
}

/// A linear memory of a store; one that is shared is a `SharedMemory` instead.
///
/// ```
/// use zwasm::{Engine, Memory, MemoryType, Store};
/// let mut store = Store::new(&Engine::default(), ());
/// let memory = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
/// memory.write(&mut store, 10, b"abc")?;
/// assert_eq!(&memory.data(&store)[10..13], b"abc");
/// assert_eq!(memory.grow(&mut store, 1)?, 1);
/// assert!(memory.grow(&mut store, 1).is_err());
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory(pub(crate) Stored<MemoryInst>);

impl Memory {
    /// A new memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] or [`ErrorKind::OutOfMemory`] if it cannot be allocated,
    /// and if the type is shared.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        if ty.is_shared() {
            return Err(Error::msg("a memory of a shared type is a SharedMemory"));
        }
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        unsafe {
            StoreCore::check_counts(core, [0, 0, 1])?;
            let memory = StoreCore::new_memory(core, ty, None)?;
            Ok(Memory(Stored::new(core, (*core).add_memory(memory))))
        }
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        expect(self.0.of(&store.as_context())).ty
    }

    /// The size in pages.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn size(&self, store: impl AsContext) -> u64 {
        expect(self.0.of(&store.as_context())).pages()
    }

    /// The size in bytes.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_size(&self, store: impl AsContext) -> usize {
        expect(self.0.of(&store.as_context())).len
    }

    /// Grows by `delta` pages; the old size in pages.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if that is beyond its maximum or a limit; if the memory is
    /// of another store.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        let old = unsafe { StoreCore::grow_memory(core, self.0.find(core)?.as_ptr(), delta)? };
        old.ok_or_else(|| {
            let message = format!("failed to grow memory by `{delta}`");
            Error::of_kind(ErrorKind::Limit, message)
        })
    }

    fn contents<'a, D>(&self, store: &StoreContext<'a, D>) -> Result<&'a [u8]> {
        // SAFETY: no handle is to a shared memory, and nothing writes while the store is
        // borrowed.
        self.0.of(store).map(|memory| unsafe { memory.bytes() })
    }

    fn contents_mut<'a, D>(&self, store: StoreContextMut<'a, D>) -> Result<&'a mut [u8]> {
        // SAFETY: as above, and nothing else uses it while it is borrowed exclusively.
        self.0.of_mut(store).map(|memory| unsafe { memory.bytes_mut() })
    }

    /// The contents.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        expect(self.contents(&store.into()))
    }

    /// The contents, to be changed.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> &'a mut [u8] {
        expect(self.contents_mut(store.into()))
    }

    /// The contents and the user's data at once.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let store = store.into();
        let memory = expect(self.0.find(store.core()));
        // SAFETY: the store is borrowed exclusively for `'a`, and the memory's bytes are
        // not part of the user's data.
        let bytes = unsafe { (*memory.as_ptr()).bytes_mut() };
        (bytes, store.into_data_mut())
    }

    /// The contents and the store's [attachment](StoreContextMut::attachment) of type
    /// `A` at once.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_and_attachment_mut<'a, T: 'static, A: Any + Default + Send + Sync>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut A) {
        let core = store.into().core();
        let memory = expect(self.0.find(core));
        // SAFETY: the store is borrowed exclusively for `'a`, and an attachment is an
        // allocation of its own, of which the memory's bytes are no part.
        unsafe { ((*memory.as_ptr()).bytes_mut(), (*core).attachment()) }
    }

    /// The contents of two memories at once, `from`'s to be read. Nothing if they are the
    /// same memory.
    ///
    /// # Panics
    ///
    /// If the store is another one than theirs.
    #[track_caller]
    pub fn data_of_two<'a, T: 'static>(
        store: impl Into<StoreContextMut<'a, T>>,
        from: Memory,
        to: Memory,
    ) -> Option<(&'a [u8], &'a mut [u8])> {
        let core = store.into().core();
        let (from, to) = (expect(from.0.find(core)), expect(to.0.find(core)));
        // SAFETY: the store is borrowed exclusively for `'a`, and the bytes of one memory
        // are no part of another.
        (from != to).then(|| unsafe { ((*from.as_ptr()).bytes(), (*to.as_ptr()).bytes_mut()) })
    }

    /// The address of the contents, for code that is not Rust. It changes when the
    /// memory grows, and what is there while the guest runs is the guest's to write.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_ptr(&self, store: impl AsContext) -> *mut u8 {
        expect(self.0.of(&store.as_context())).base
    }

    /// Copies from the memory.
    ///
    /// # Errors
    ///
    /// If the range is not within it.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn read(
        &self,
        store: impl AsContext,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<(), MemoryAccessError> {
        let data = expect(self.contents(&store.as_context()));
        let source = data.get(offset..).and_then(|data| data.get(..buffer.len()));
        buffer.copy_from_slice(source.ok_or(MemoryAccessError::OUTSIDE)?);
        Ok(())
    }

    /// Copies to the memory.
    ///
    /// # Errors
    ///
    /// If the range is not within it.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn write(
        &self,
        mut store: impl AsContextMut,
        offset: usize,
        buffer: &[u8],
    ) -> Result<(), MemoryAccessError> {
        let data = expect(self.contents_mut(store.as_context_mut()));
        let target = data.get_mut(offset..).and_then(|data| data.get_mut(..buffer.len()));
        target.ok_or(MemoryAccessError::OUTSIDE)?.copy_from_slice(buffer);
        Ok(())
    }

    /// Bytes in a page.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own; likewise below.
    #[track_caller]
    pub fn page_size(&self, store: impl AsContext) -> u64 {
        self.ty(store).page_size()
    }

    /// The binary logarithm of that.
    #[track_caller]
    pub fn page_size_log2(&self, store: impl AsContext) -> u8 {
        self.ty(store).page_size_log2()
    }
}

/// A range is not within a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryAccessError {}

impl MemoryAccessError {
    pub(super) const OUTSIDE: MemoryAccessError = MemoryAccessError {};
}

impl std::fmt::Display for MemoryAccessError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("out of bounds memory access")
    }
}

impl std::error::Error for MemoryAccessError {}

/// A global of a store.
///
/// ```
/// use zwasm::{Engine, Global, GlobalType, Mutability, Store, Val, ValType};
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = GlobalType::new(ValType::I32, Mutability::Var);
/// let global = Global::new(&mut store, ty, Val::I32(1))?;
/// global.set(&mut store, Val::I32(2))?;
/// assert_eq!(global.get(&mut store).i32(), Some(2));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Global(pub(crate) Stored<GlobalInst>);

impl Global {
    /// A new global.
    ///
    /// # Errors
    ///
    /// If the value has another type, or the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: Val) -> Result<Global> {
        let core = store.as_context_mut().core();
        let ty = ty.inner();
        // SAFETY: the context is exclusive.
        unsafe {
            (*core).hold_types_of(ty.content());
            (*core)
                .engine
                .types()
                .check([ty.content()])
                .context("the type is of the wrong engine")?;
            value.check(core, ty.content()).context(
                "type mismatch: initial value provided does not match the type of this global",
            )?;
            let global = (*core).add_global(GlobalInst { value: value.to_bits(core), ty });
            Ok(Global(Stored::new(core, global)))
        }
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let context = store.as_context();
        GlobalType::of(context.engine(), expect(self.0.of(&context)).ty)
    }

    /// The value.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let context = store.as_context_mut();
        let core = context.core();
        let global = expect(self.0.of(&context.as_context()));
        // SAFETY: the context is exclusive, and the value has the global's type.
        unsafe { Val::from_bits(core, global.value, global.ty.content()) }
    }

    /// Changes the value.
    ///
    /// # Errors
    ///
    /// If the global is constant or of another store, or the value has another type.
    pub fn set(&self, mut store: impl AsContextMut, value: Val) -> Result<()> {
        let context = store.as_context_mut();
        let core = context.core();
        let global = self.0.of_mut(context)?;
        if global.ty.mutability() == Mutability::Const {
            return Err(Error::msg("immutable global cannot be set"));
        }
        value
            .check(core, global.ty.content())
            .context("type mismatch: attempt to set global to value of wrong type")?;
        global.value = value.to_bits(core);
        Ok(())
    }
}

/// An exception tag of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub(crate) Stored<TagInst>);

impl Tag {
    /// A new tag.
    ///
    /// # Errors
    ///
    /// If the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        let context = store.as_context_mut();
        if !Engine::same(ty.ty().engine(), context.engine()) {
            return Err(Error::msg("the tag's type is of the wrong engine, another one"));
        }
        let core = context.core();
        // SAFETY: the context is exclusive.
        unsafe {
            let (held, id) = (*core).engine.types().intern_func(ty.ty().inner().clone());
            (*core).hold_type(held);
            Ok(Tag(Stored::new(core, (*core).add_tag(id))))
        }
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> TagType {
        let context = store.as_context();
        let tag = expect(self.0.of(&context));
        let ty = context.engine().types().func_type(tag.ty);
        TagType::new(FuncType::of(context.engine(), ty))
    }

    /// Whether both are the same tag.
    ///
    /// # Panics
    ///
    /// If the store is another one than theirs.
    #[track_caller]
    pub fn eq(a: &Tag, b: &Tag, store: impl AsContext) -> bool {
        let context = store.as_context();
        let (a, b) = (expect(a.0.of(&context)), expect(b.0.of(&context)));
        std::ptr::eq(a, b)
    }
}
