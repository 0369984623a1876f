//! Values without their types, for code that knows these by itself.
//!
//! A [`ValRaw`] has sixteen bytes, whatever it holds, so that rows of them can be shared
//! with C. It keeps nothing: a reference is a number that means something in its store
//! only, and one to an object only until objects are next collected. Functions that take
//! and give such values compare no types, which is why they are unsafe.

use std::ffi::c_void;
use std::fmt::{self, Debug, Formatter};
use std::mem::MaybeUninit;
use std::ptr;

use zwasm_regir::object::is_i31;

use super::boundary::{self, Visits, host_code};
use super::caller::{Caller, with_copies};
use super::func::{Func, count, same_engine, slots_of};
use super::gc::rooted::Handle;
use super::linker::Linker;
use super::store::{AsContext, AsContextMut, expect};
use super::types::{FuncType, ValType};
use super::val::Val;
use crate::error::Result;
use crate::store::{HostCode, StoreCore};
use crate::types::{self, HeapType};

/// A value without its type: sixteen bytes, of which those count that its type has, the
/// lowest first.
///
/// ```
/// use zwasm::ValRaw;
/// assert_eq!(ValRaw::i32(-1).get_u32(), u32::MAX);
/// assert_eq!(ValRaw::f64(1.5f64.to_bits()).get_f64(), 1.5f64.to_bits());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct ValRaw([u64; 2]);

impl Debug for ValRaw {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ValRaw({:#x})", self.get_v128())
    }
}

macro_rules! numbers {
    ($($new:ident $get:ident $ty:ty, $what:literal;)*) => {
        impl ValRaw {
            $(
                #[doc = concat!("Of ", $what, ".")]
                pub fn $new(value: $ty) -> ValRaw {
                    ValRaw([value as u64, 0])
                }

                #[doc = concat!("The value as ", $what, ".")]
                pub fn $get(&self) -> $ty {
                    self.0[0] as $ty
                }
            )*
        }
    };
}

numbers! {
    i64 get_i64 i64, "an i64";
    u32 get_u32 u32, "an i32 without sign";
    u64 get_u64 u64, "an i64 without sign";
    f32 get_f32 u32, "the bits of an f32";
    f64 get_f64 u64, "the bits of an f64";
    externref get_externref u32, "the number of an external reference, 0 for null";
    anyref get_anyref u32, "the number of an internal reference, 0 for null";
    exnref get_exnref u32, "the number of an exception, 0 for null";
}

impl ValRaw {
    /// The null of every type of references.
    pub fn null() -> ValRaw {
        ValRaw([0; 2])
    }

    /// Of an i32.
    pub fn i32(value: i32) -> ValRaw {
        ValRaw::u32(value as u32)
    }

    /// The value as an i32.
    pub fn get_i32(&self) -> i32 {
        self.0[0] as i32
    }

    /// Of a vector, its first lane lowest.
    pub fn v128(value: u128) -> ValRaw {
        ValRaw([value as u64, (value >> 64) as u64])
    }

    /// The value as a vector.
    pub fn get_v128(&self) -> u128 {
        u128::from(self.0[0]) | u128::from(self.0[1]) << 64
    }

    /// Of what [`Func::to_raw`] gives; null for the null reference.
    pub fn funcref(value: *mut c_void) -> ValRaw {
        ValRaw::u64(value.addr() as u64)
    }

    /// The value as what [`Func::from_raw`] takes.
    pub fn get_funcref(&self) -> *mut c_void {
        ptr::without_provenance_mut(self.0[0] as usize)
    }

    /// The value of a type as slots hold it, low half first.
    ///
    /// # Safety
    ///
    /// `core` is valid.
    unsafe fn bits(self, core: *const StoreCore, ty: types::ValType) -> u128 {
        match ty {
            types::ValType::V128 => self.get_v128(),
            types::ValType::I64 | types::ValType::F64 => self.get_u64().into(),
            // Code relies on it that the upper half of a narrow slot is zero.
            types::ValType::I32 | types::ValType::F32 => self.get_u32().into(),
            types::ValType::Ref(ty) => match ty.heap_type() {
                // Slots hold more of an exception than its number.
                // SAFETY: by the contract.
                HeapType::Exn | HeapType::NoExn => unsafe {
                    (*core).exceptions.numbered(self.get_u32()).unwrap_or(0).into()
                },
                _ => self.get_u32().into(),
            },
        }
    }

    /// Writes values to consecutive slots.
    ///
    /// # Safety
    ///
    /// `core` is valid.
    unsafe fn write_all(
        core: *const StoreCore,
        values: &[ValRaw],
        types: &[types::ValType],
        slots: &mut [u64],
    ) {
        let mut at = 0;
        for (value, ty) in values.iter().zip(types) {
            // SAFETY: by the contract.
            let bits = unsafe { value.bits(core, *ty) };
            slots[at] = bits as u64;
            if *ty == types::ValType::V128 {
                at += 1;
                slots[at] = (bits >> 64) as u64;
            }
            at += 1;
        }
    }

    /// Reads values from consecutive slots.
    fn read_all(types: &[types::ValType], slots: &[u64]) -> impl Iterator<Item = ValRaw> {
        let mut at = 0;
        types.iter().map(move |ty| {
            let count = ty.kind().slots() as usize;
            let value = ValRaw([slots[at], if count > 1 { slots[at + 1] } else { 0 }]);
            at += count;
            value
        })
    }
}

impl Val {
    /// The value without its type.
    ///
    /// # Errors
    ///
    /// If it is a reference whose scope has ended or of another store.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<ValRaw> {
        Ok(match *self {
            Val::ExternRef(Some(reference)) => ValRaw::externref(reference.to_raw(store)?),
            Val::AnyRef(Some(reference)) => ValRaw::anyref(reference.to_raw(store)?),
            Val::ExnRef(Some(exn)) => ValRaw::exnref(exn.to_raw(store)?),
            Val::FuncRef(Some(func)) => {
                func.0.find(store.as_context_mut().core())?;
                ValRaw::funcref(func.to_raw(store))
            }
            Val::I32(value) => ValRaw::i32(value),
            Val::I64(value) => ValRaw::i64(value),
            Val::F32(bits) => ValRaw::f32(bits),
            Val::F64(bits) => ValRaw::f64(bits),
            Val::V128(vector) => ValRaw::v128(vector.as_u128()),
            Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) => {
                ValRaw::null()
            }
        })
    }

    /// The value that is of a type; a reference is rooted in the innermost scope.
    ///
    /// # Safety
    ///
    /// The value is of the type in this store, and what it refers to was not collected.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: ValRaw, ty: ValType) -> Val {
        let core = store.as_context_mut().core();
        // SAFETY: by the contract, and the context is exclusive.
        unsafe {
            let (ty, root) = (ty.inner(), &mut |reference| Handle::new(core, reference));
            Val::make(core, raw.bits(core, ty), ty, root)
        }
    }
}

impl Func {
    /// The function as a pointer that means something to [`Func::from_raw`] only, and can
    /// be passed as a [`ValRaw`].
    ///
    /// # Panics
    ///
    /// If the store is another one than its own.
    #[track_caller]
    pub fn to_raw(&self, mut store: impl AsContextMut) -> *mut c_void {
        let context = store.as_context_mut();
        ptr::without_provenance_mut(expect(self.0.of(&context.as_context())).number as usize)
    }

    /// The function that [`Func::to_raw`] gave as a pointer; nothing for null.
    ///
    /// # Safety
    ///
    /// The pointer was given by a function of this store. (One that was not is a function of
    /// the store, or none.)
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: *mut c_void) -> Option<Func> {
        let core = store.as_context_mut().core();
        // SAFETY: the context is exclusive, and each number is looked up.
        unsafe { Func::from_slot(core, raw.addr() as u64) }
    }

    /// A host function over values without types: its arguments come in, and its results
    /// are left in their place, from index 0; the row is as long as the longer of both.
    ///
    /// # Safety
    ///
    /// Where the function gives no error, it leaves results of its type, and of this store.
    ///
    /// # Panics
    ///
    /// If the type is of another engine.
    #[track_caller]
    pub unsafe fn new_unchecked<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let context = store.as_context_mut();
        expect(same_engine(&ty, context.engine()));
        let code = raw_code(ty.inner().clone(), func);
        // SAFETY: the context is exclusive, and the closure is for stores with its data.
        unsafe { Func::from_code(context.core(), ty.inner(), code) }
    }

    /// Calls the function with values without types: the arguments, which become the
    /// results, from index 0.
    ///
    /// # Errors
    ///
    /// As [`Func::call`], and if the row is shorter than parameters or results.
    ///
    /// # Safety
    ///
    /// The row is valid for reading and writing, and begins with arguments of the parameters' types in this store.
    pub unsafe fn call_unchecked(
        &self,
        mut store: impl AsContextMut,
        params_and_returns: *mut [ValRaw],
    ) -> Result<()> {
        let core = store.as_context_mut().core();
        let record = self.0.find(core)?;
        // SAFETY: the context is exclusive, and keeps the store.
        let ty = unsafe { &*StoreCore::called_type(core, record.as_ref().ty) };
        let (params, results) = (ty.params_slice(), ty.results_slice());
        let longer = params.len().max(results.len());
        if params_and_returns.len() < longer {
            return count("values", longer, params_and_returns.len());
        }
        let row = params_and_returns.cast::<ValRaw>();
        let slot_count = slots_of(params).max(slots_of(results));
        // SAFETY: the context is exclusive, and by the contract the arguments are of the
        // function's types and there is room for as many results as it has. As many slots
        // are the call's.
        unsafe {
            let slots = boundary::slots(core, slot_count)?;
            let all = || std::slice::from_raw_parts_mut(slots, slot_count);
            if !params.is_empty() {
                let arguments = std::slice::from_raw_parts(row, params.len());
                ValRaw::write_all(core, arguments, params, all());
            }
            boundary::call(core, record.as_ref().vmctx, record.as_ptr(), slots, slot_count, || {
                for (at, value) in ValRaw::read_all(results, all()).enumerate() {
                    note(core, results[at], value);
                    row.add(at).write(value);
                }
            })
        }
    }
}

impl<T: 'static> Linker<T> {
    /// Defines a name as a host function over values without types; see
    /// [`Func::new_unchecked`].
    ///
    /// # Errors
    ///
    /// As [`Linker::func_new`].
    ///
    /// # Safety
    ///
    /// As [`Func::new_unchecked`].
    pub unsafe fn func_new_unchecked(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        same_engine(&ty, self.engine())?;
        let code = raw_code(ty.inner().clone(), func);
        self.insert_host(module, name, &ty, code)
    }
}

/// Notes where the object starts that a reference is to, so that `from_raw` knows it: the
/// heap need not have noted yet one that the guest has made.
///
/// # Safety
///
/// `core` is valid and ours alone, and the value is of the type in it.
unsafe fn note(core: *mut StoreCore, ty: types::ValType, value: ValRaw) {
    let types::ValType::Ref(ty) = ty else { return };
    // SAFETY: by the contract.
    unsafe {
        let (heap, reference) = (ty.heap_type(), value.get_u32());
        let is_object = match heap {
            HeapType::Exn | HeapType::NoExn => false,
            _ => !(*core).engine.types().read().heap_matches(heap, HeapType::Func),
        };
        if is_object && reference != 0 && !is_i31(reference) {
            (*core).gc.heap.set_start(reference as usize);
        }
    }
}

/// The code of a host function over values without types, which keeps to its type.
fn raw_code<T: 'static>(
    ty: types::FuncType,
    func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
) -> HostCode {
    let slots = slots_of(ty.params_slice()).max(slots_of(ty.results_slice()));
    host_code::<Visits, _>(move |call| {
        let (params, results) = (ty.params_slice(), ty.results_slice());
        // Initialised anyway: who leaves a result out has broken the contract, and then
        // gives zero or null and nothing that was there before.
        let nothing = MaybeUninit::new(ValRaw::null());
        with_copies(params.len().max(results.len()), nothing, |row| {
            // SAFETY: the frame of the call has these slots; the closure is for stores with
            // this data, and by the contract it leaves results of its type.
            unsafe {
                let arguments = std::slice::from_raw_parts(call.slots, slots);
                for (at, value) in ValRaw::read_all(params, arguments).enumerate() {
                    note(call.store, params[at], value);
                    row[at] = MaybeUninit::new(value);
                }
                func(Caller::new(call), row)?;
                // Not borrowed meanwhile: collections look through all frames.
                let given = std::slice::from_raw_parts_mut(call.slots, slots);
                let row = std::slice::from_raw_parts(row.as_ptr().cast::<ValRaw>(), results.len());
                ValRaw::write_all(call.store, row, results, given);
            }
            Ok(())
        })
    })
}
