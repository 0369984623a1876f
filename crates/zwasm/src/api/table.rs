//! Tables of a store.

use super::store::{AsContext, AsContextMut, expect};
use super::types::TableType;
use super::val::{Ref, Val};
use crate::error::{Context, Error, ErrorKind, Result, Trap};
use crate::store::stored::Stored;
use crate::store::{StoreCore, TableInst};
use crate::types::ValType;

/// A table of a store.
///
/// ```
/// use zwasm::{Engine, Ref, RefType, Store, Table, TableType};
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = TableType::new(RefType::FUNCREF, 2, None);
/// let table = Table::new(&mut store, ty, Ref::Func(None))?;
/// assert_eq!(table.grow(&mut store, 3, Ref::Func(None))?, 2);
/// assert_eq!(table.size(&store), 5);
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table(pub(crate) Stored<TableInst>);

/// What is said of a reference that does not belong into a table.
const WRONG: &str = "type mismatch: value does not match table element type";

impl Table {
    /// A new table filled with `init`.
    ///
    /// # Errors
    ///
    /// If `init` has another type or the elements' type is of another engine, or
    /// [`ErrorKind::Limit`] if the table cannot be allocated.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let core = store.as_context_mut().core();
        let init = Val::from(init);
        let ty = ty.inner();
        // SAFETY: the context is exclusive.
        unsafe {
            let element = ValType::Ref(ty.element());
            (*core).hold_types_of(element);
            (*core).engine.types().check([element]).context("the type is of the wrong engine")?;
            init.check(core, element).context(WRONG)?;
            StoreCore::check_counts(core, [0, 1, 0])?;
            let table = StoreCore::new_table(core, ty, init.to_bits(core) as u64)?;
            Ok(Table(Stored::new(core, (*core).add_table(table))))
        }
    }

    /// The type.
    ///
    /// # Panics
    ///
    /// If the store is another one than its own; likewise below.
    #[track_caller]
    pub fn ty(&self, store: impl AsContext) -> TableType {
        let context = store.as_context();
        TableType::of(context.engine(), expect(self.0.of(&context)).ty)
    }

    /// The number of elements.
    #[track_caller]
    pub fn size(&self, store: impl AsContext) -> u64 {
        expect(self.0.of(&store.as_context())).len as u64
    }

    /// An element, if there is one at this index.
    #[track_caller]
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Ref> {
        let context = store.as_context_mut();
        let core = context.core();
        let table = expect(self.0.of(&context.as_context()));
        let element = *table.elements().get(usize::try_from(index).ok()?)?;
        // SAFETY: the context is exclusive, and elements have the table's type.
        let value = unsafe {
            let slot = table.reference(element);
            Val::from_bits(core, slot.into(), ValType::Ref(table.ty.element()))
        };
        value.ref_()
    }

    /// Writes an element.
    ///
    /// # Errors
    ///
    /// If there is none at this index, the value has another type or the table is of
    /// another store.
    pub fn set(&self, store: impl AsContextMut, index: u64, val: Ref) -> Result<()> {
        let outside = || Error::msg("table element index out of bounds");
        self.write(store, index, val, 1, outside)
    }

    /// Writes `len` elements from `dst` on.
    ///
    /// # Errors
    ///
    /// [`Trap::TableOutOfBounds`] if there are fewer, or if the value has another type or
    /// the table is of another store.
    pub fn fill(&self, store: impl AsContextMut, dst: u64, val: Ref, len: u64) -> Result<()> {
        self.write(store, dst, val, len, || Trap::TableOutOfBounds.into())
    }

    fn write(
        &self,
        mut store: impl AsContextMut,
        dst: u64,
        val: Ref,
        len: u64,
        outside: impl Fn() -> Error,
    ) -> Result<()> {
        let context = store.as_context_mut();
        let core = context.core();
        let table = self.0.of(&context.as_context())?;
        let value = Val::from(val);
        value.check(core, ValType::Ref(table.ty.element())).context(WRONG)?;
        let functions = &context.as_context().core_ref().functions;
        let element = table.element(functions, value.to_bits(core) as u64);
        let elements = self.0.of_mut(context)?.elements_mut();
        let places = range(dst, len).and_then(|range| elements.get_mut(range));
        places.ok_or_else(outside)?.fill(element);
        Ok(())
    }

    /// Copies `len` elements between two tables, or within one.
    ///
    /// # Errors
    ///
    /// [`Trap::TableOutOfBounds`] if either has fewer, or if the elements of one are none of
    /// the other or either is of another store.
    pub fn copy(
        mut store: impl AsContextMut,
        dst_table: &Table,
        dst_index: u64,
        src_table: &Table,
        src_index: u64,
        len: u64,
    ) -> Result<()> {
        let context = store.as_context_mut();
        let (src, dst) =
            (src_table.0.of(&context.as_context())?, dst_table.0.of(&context.as_context())?);
        let outside = || Error::from(Trap::TableOutOfBounds);
        let from = range(src_index, len).filter(|range| range.end <= src.len);
        let to = range(dst_index, len).filter(|range| range.end <= dst.len);
        let (from, to) = (from.ok_or_else(outside)?, to.ok_or_else(outside)?);
        let types = context.engine().types().read();
        if !types.ref_matches(src.ty.element(), dst.ty.element()) {
            return Err(Error::msg(
                "type mismatch: source table's element type does not match destination table's \
                 element type",
            ));
        }
        drop(types);
        if src_table == dst_table {
            let table = dst_table.0.of_mut(context)?;
            table.elements_mut().copy_within(from, to.start);
            return Ok(());
        }
        let functions = &context.as_context().core_ref().functions;
        let elements = src.elements()[from].iter();
        let elements: Vec<u64> =
            elements.map(|&element| dst.element(functions, src.reference(element))).collect();
        dst_table.0.of_mut(context)?.elements_mut()[to].copy_from_slice(&elements);
        Ok(())
    }

    /// Grows by `delta` elements set to `init`; the old size.
    ///
    /// # Errors
    ///
    /// If `init` has another type or the table is of another store, or
    /// [`ErrorKind::Limit`] if the size is beyond the maximum or a limit.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let context = store.as_context_mut();
        let core = context.core();
        let table = self.0.find(core)?;
        let element = self.0.of(&context.as_context())?.ty.element();
        let init = Val::from(init);
        init.check(core, ValType::Ref(element)).context(WRONG)?;
        let init = init.to_bits(core) as u64;
        // SAFETY: the context is exclusive.
        let old = unsafe { StoreCore::grow_table(core, table.as_ptr(), delta, init)? };
        old.ok_or_else(|| {
            let message = format!("failed to grow table by `{delta}`");
            Error::of_kind(ErrorKind::Limit, message)
        })
    }
}

/// A range of elements, if there could be one.
fn range(start: u64, len: u64) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(start).ok()?;
    Some(start..start.checked_add(usize::try_from(len).ok()?)?)
}
