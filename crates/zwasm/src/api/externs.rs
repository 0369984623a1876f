//! Memories, tables, globals and tags of a store.

use std::any::Any;

use std::ptr::NonNull;

use super::func::Func;
#[cfg(feature = "threads")]
use super::shared::SharedMemory;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut, expect};
use super::val::Val;
#[cfg(feature = "threads")]
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::store::instance::Item;
use crate::store::stored::Stored;
use crate::store::{GlobalInst, MemoryInst, StoreCore, TableInst, TagInst};
use crate::types::{ExternType, GlobalType, MemoryType, Mutability, TableType, TagType, ValType};

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
            let memory = StoreCore::new_memory(core, ty)?;
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
            Error::of_kind(ErrorKind::Limit, format!("cannot grow a memory by {delta} pages"))
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
    pub fn data<'a, T: 'a>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        expect(self.contents(&store.into()))
    }

    /// The contents, to be changed.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_mut<'a, T: 'a>(&self, store: impl Into<StoreContextMut<'a, T>>) -> &'a mut [u8] {
        expect(self.contents_mut(store.into()))
    }

    /// The contents and the user's data at once.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn data_and_store_mut<'a, T: 'a>(
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
    pub fn data_and_attachment_mut<'a, T: 'a, A: Any + Default + Send + Sync>(
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
    pub fn data_of_two<'a, T: 'a>(
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
    /// If the range is not within it or the memory is of another store.
    pub fn read(&self, store: impl AsContext, offset: usize, buffer: &mut [u8]) -> Result<()> {
        let data = self.contents(&store.as_context())?;
        let source = data.get(offset..).and_then(|data| data.get(..buffer.len()));
        buffer.copy_from_slice(source.ok_or_else(|| outside(offset, buffer.len()))?);
        Ok(())
    }

    /// Copies to the memory.
    ///
    /// # Errors
    ///
    /// If the range is not within it or the memory is of another store.
    pub fn write(&self, mut store: impl AsContextMut, offset: usize, buffer: &[u8]) -> Result<()> {
        let data = self.contents_mut(store.as_context_mut())?;
        let target = data.get_mut(offset..).and_then(|data| data.get_mut(..buffer.len()));
        target.ok_or_else(|| outside(offset, buffer.len()))?.copy_from_slice(buffer);
        Ok(())
    }
}

pub(super) fn outside(offset: usize, length: usize) -> Error {
    Error::msg(format!("{length} bytes at {offset:#x} are outside the memory"))
}

/// A table of a store.
///
/// ```
/// use zwasm::{Engine, RefType, Store, Table, TableType, Val};
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = TableType::new(RefType::FUNCREF, 2, None);
/// let table = Table::new(&mut store, ty, Val::FuncRef(None))?;
/// assert_eq!(table.grow(&mut store, 3, Val::FuncRef(None))?, 2);
/// assert_eq!(table.size(&store), 5);
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table(pub(crate) Stored<TableInst>);

impl Table {
    /// A new table filled with `init`.
    ///
    /// # Errors
    ///
    /// If `init` has another type or the elements' type is of another engine, or
    /// [`ErrorKind::Limit`] if the table cannot be allocated.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Val) -> Result<Table> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        unsafe {
            let element = ValType::Ref(ty.element());
            (*core).hold_types_of(element);
            (*core).engine.types().check([element])?;
            init.check(core, element)?;
            StoreCore::check_counts(core, [0, 1, 0])?;
            let table = StoreCore::new_table(core, ty, init.to_bits(core) as u64)?;
            Ok(Table(Stored::new(core, (*core).add_table(table))))
        }
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> TableType {
        expect(self.0.of(&store.as_context())).ty
    }

    /// The number of elements.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn size(&self, store: impl AsContext) -> u64 {
        expect(self.0.of(&store.as_context())).len as u64
    }

    /// An element, if there is one at this index.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Val> {
        let context = store.as_context_mut();
        let core = context.core();
        let table = expect(self.0.of(&context.as_context()));
        let element = *table.elements().get(usize::try_from(index).ok()?)?;
        // SAFETY: the context is exclusive, and elements have the table's type.
        unsafe {
            let slot = table.reference(element);
            let value = Val::from_bits(core, slot.into(), ValType::Ref(table.ty.element()));
            value.keep(core);
            Some(value)
        }
    }

    /// Writes an element.
    ///
    /// # Errors
    ///
    /// If there is none at this index, the value has another type or the table is of
    /// another store.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, value: Val) -> Result<()> {
        let context = store.as_context_mut();
        let core = context.core();
        let table = self.0.of(&context.as_context())?;
        value.check(core, ValType::Ref(table.ty.element()))?;
        let functions = &context.as_context().core_ref().functions;
        let element = table.element(functions, value.to_bits(core) as u64);
        let elements = self.0.of_mut(context)?.elements_mut();
        let place = usize::try_from(index).ok().and_then(|index| elements.get_mut(index));
        *place.ok_or_else(|| Error::msg(format!("the table has no element {index}")))? = element;
        Ok(())
    }

    /// Grows by `delta` elements set to `init`; the old size.
    ///
    /// # Errors
    ///
    /// If `init` has another type or the table is of another store, or
    /// [`ErrorKind::Limit`] if the size is beyond the maximum or a limit.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Val) -> Result<u64> {
        let context = store.as_context_mut();
        let core = context.core();
        let table = self.0.find(core)?;
        let element = self.0.of(&context.as_context())?.ty.element();
        init.check(core, ValType::Ref(element))?;
        let init = init.to_bits(core) as u64;
        // SAFETY: the context is exclusive.
        let old = unsafe { StoreCore::grow_table(core, table.as_ptr(), delta, init)? };
        old.ok_or_else(|| {
            Error::of_kind(ErrorKind::Limit, format!("cannot grow a table by {delta} elements"))
        })
    }
}

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
        // SAFETY: the context is exclusive.
        unsafe {
            (*core).hold_types_of(ty.content());
            (*core).engine.types().check([ty.content()])?;
            value.check(core, ty.content())?;
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
        expect(self.0.of(&store.as_context())).ty
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
        unsafe {
            let value = Val::from_bits(core, global.value, global.ty.content());
            value.keep(core);
            value
        }
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
            return Err(Error::msg("the global is constant"));
        }
        value.check(core, global.ty.content())?;
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
    /// # Panics
    ///
    /// If the type names one of another engine.
    #[track_caller]
    pub fn new(store: impl AsContextMut, ty: &TagType) -> Tag {
        match Tag::try_new(store, ty) {
            Ok(tag) => tag,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Tag::new`].
    ///
    /// # Errors
    ///
    /// If the type names one of another engine.
    pub fn try_new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive.
        unsafe {
            let types = (*core).engine.types();
            types.check(ty.ty().all())?;
            let (held, id) = types.intern_func(ty.ty().clone());
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
        TagType::new(context.engine().types().func_type(tag.ty))
    }
}
