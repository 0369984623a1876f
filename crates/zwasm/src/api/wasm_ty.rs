//! Rust types that stand for WebAssembly types, and closures over them.

use super::boundary::{Access, Visits, host_code};
use super::caller::Caller;
use super::func::Func;
use super::gc::i31::I31;
use super::gc::rooted::{GcRef, Handle, OwnedRooted, Rooted};
use super::types::{FuncType, HeapType, RefType, ValType};
use super::v128::V128;
use super::val::{Ref, Val};
use crate::engine::Engine;
use crate::error::Result;
use crate::stack::activation::HostCall;
use crate::store::{HostCode, StoreCore};
use std::marker::PhantomData;

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that stands for a WebAssembly type.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmTy: sealed::Sealed + Sized + Send {
    #[doc(hidden)]
    const SLOTS: usize = 1;
    /// Whether values refer to something of a store.
    #[doc(hidden)]
    const REFERS: bool = false;
    #[doc(hidden)]
    fn val_type() -> ValType;
    #[doc(hidden)]
    /// # Safety
    ///
    /// `core` is a store's, and nothing else uses it meanwhile; there are as many slots.
    unsafe fn into_slots(self, core: *mut StoreCore, slots: *mut u64) -> Result<()>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// The slots hold a value of this type in the store.
    unsafe fn from_slots(core: *mut StoreCore, slots: *const u64) -> Self;
}

macro_rules! numbers {
    ($($rust:ty, $ty:ident, $value:ident => $into:expr, $slot:ident => $from:expr;)*) => {$(
        impl sealed::Sealed for $rust {}
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl WasmTy for $rust {
            fn val_type() -> ValType {
                ValType::$ty
            }
            unsafe fn into_slots(self, _: *mut StoreCore, slots: *mut u64) -> Result<()> {
                let $value = self;
                // SAFETY: by the contract.
                unsafe { *slots = $into };
                Ok(())
            }
            unsafe fn from_slots(_: *mut StoreCore, slots: *const u64) -> Self {
                // SAFETY: by the contract.
                let $slot = unsafe { *slots };
                $from
            }
        }
    )*};
}

numbers! {
    i32, I32, value => u64::from(value as u32), slot => slot as i32;
    u32, I32, value => u64::from(value), slot => slot as u32;
    i64, I64, value => value as u64, slot => slot as i64;
    u64, I64, value => value, slot => slot;
    f32, F32, value => u64::from(value.to_bits()), slot => f32::from_bits(slot as u32);
    f64, F64, value => value.to_bits(), slot => f64::from_bits(slot);
}

impl sealed::Sealed for V128 {}
// SAFETY: each value is written and read as the type that is named.
unsafe impl WasmTy for V128 {
    const SLOTS: usize = 2;
    fn val_type() -> ValType {
        ValType::V128
    }
    unsafe fn into_slots(self, _: *mut StoreCore, slots: *mut u64) -> Result<()> {
        let bits = self.as_u128();
        // SAFETY: by the contract.
        unsafe {
            *slots = bits as u64;
            *slots.add(1) = (bits >> 64) as u64;
        }
        Ok(())
    }
    unsafe fn from_slots(_: *mut StoreCore, slots: *const u64) -> Self {
        // SAFETY: by the contract.
        unsafe { V128::from(u128::from(*slots) | u128::from(*slots.add(1)) << 64) }
    }
}

/// References that are not null: what one is in a slot, and what it is of a slot.
trait Reference: Sized {
    const HEAP: HeapType;
    fn to_slot(&self, core: *mut StoreCore) -> Result<u64>;
    /// # Safety
    ///
    /// As [`WasmTy::from_slots`]; the slot is not null.
    unsafe fn of(core: *mut StoreCore, slot: u64) -> Self;
}

impl<T: GcRef> Reference for Rooted<T> {
    const HEAP: HeapType = T::HEAP;
    fn to_slot(&self, core: *mut StoreCore) -> Result<u64> {
        self.handle().get(core)
    }
    unsafe fn of(core: *mut StoreCore, slot: u64) -> Self {
        // SAFETY: by the contract.
        Rooted::of(unsafe { Handle::new(core, slot) })
    }
}

impl<T: GcRef> Reference for OwnedRooted<T> {
    const HEAP: HeapType = T::HEAP;
    fn to_slot(&self, core: *mut StoreCore) -> Result<u64> {
        self.handle().get(core)
    }
    unsafe fn of(core: *mut StoreCore, slot: u64) -> Self {
        // SAFETY: by the contract.
        unsafe { OwnedRooted::new(core, slot) }
    }
}

impl Reference for I31 {
    const HEAP: HeapType = HeapType::I31;
    fn to_slot(&self, _: *mut StoreCore) -> Result<u64> {
        Ok(self.reference())
    }
    unsafe fn of(_: *mut StoreCore, slot: u64) -> Self {
        I31::of(slot)
    }
}

impl Reference for Func {
    const HEAP: HeapType = HeapType::Func;
    fn to_slot(&self, core: *mut StoreCore) -> Result<u64> {
        // SAFETY: records live as long as the store.
        Ok(unsafe { self.0.find(core)?.as_ref() }.number.into())
    }
    unsafe fn of(core: *mut StoreCore, slot: u64) -> Self {
        // SAFETY: by the contract.
        unsafe { Func::from_slot(core, slot) }.expect("the reference is not null")
    }
}

/// Types whose only value is null, and there only as an `Option`.
macro_rules! nothing {
    ($($name:ident $heap:ident $what:literal;)*) => {$(
        #[doc = concat!("A reference to ", $what, ": there is none, so that an `Option` of it is null.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {}

        impl $name {
            /// Null.
            pub fn null() -> Option<$name> {
                None
            }

            /// Null as a reference.
            pub fn null_ref() -> Ref {
                Ref::null(&HeapType::$heap)
            }

            /// Null as a value.
            pub fn null_val() -> Val {
                Val::null_ref(&HeapType::$heap)
            }
        }

        impl Reference for $name {
            const HEAP: HeapType = HeapType::$heap;
            fn to_slot(&self, _: *mut StoreCore) -> Result<u64> {
                match *self {}
            }
            unsafe fn of(_: *mut StoreCore, _: u64) -> Self {
                unreachable!("the type has no values but null")
            }
        }
    )*};
}

nothing! {
    NoFunc NoFunc "no function";
    NoExtern NoExtern "no value of the host";
    NoneRef None "no value of the guest";
    NoExn NoExn "no exception";
}

macro_rules! reference_types {
    ($({ $($generic:tt)* } $ty:ty;)*) => {$(
        impl<$($generic)*> sealed::Sealed for $ty {}
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($generic)*> WasmTy for $ty {
            const REFERS: bool = true;
            fn val_type() -> ValType {
                ValType::Ref(RefType::new(false, <$ty as Reference>::HEAP))
            }
            unsafe fn into_slots(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
                // SAFETY: by the contract.
                unsafe { *slots = self.to_slot(core)? };
                Ok(())
            }
            unsafe fn from_slots(core: *mut StoreCore, slots: *const u64) -> Self {
                // SAFETY: by the contract, and what is of the type is not null.
                unsafe { <$ty as Reference>::of(core, *slots) }
            }
        }

        impl<$($generic)*> sealed::Sealed for Option<$ty> {}
        // SAFETY: as above.
        unsafe impl<$($generic)*> WasmTy for Option<$ty> {
            const REFERS: bool = true;
            fn val_type() -> ValType {
                ValType::Ref(RefType::new(true, <$ty as Reference>::HEAP))
            }
            unsafe fn into_slots(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
                let slot = match self {
                    Some(reference) => reference.to_slot(core)?,
                    None => 0,
                };
                // SAFETY: by the contract.
                unsafe { *slots = slot };
                Ok(())
            }
            unsafe fn from_slots(core: *mut StoreCore, slots: *const u64) -> Self {
                // SAFETY: by the contract.
                unsafe { (*slots != 0).then(|| <$ty as Reference>::of(core, *slots)) }
            }
        }
    )*};
}

reference_types! {
    { T: GcRef } Rooted<T>;
    { T: GcRef } OwnedRooted<T>;
    {} I31;
    {} Func;
    {} NoFunc;
    {} NoExtern;
    {} NoneRef;
    {} NoExn;
}

/// Parameters of a [`TypedFunc`](crate::TypedFunc): one type, or a tuple of them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmParams: Sized {
    #[doc(hidden)]
    const COUNT: usize;
    /// Whether any value refers to something of a store.
    #[doc(hidden)]
    const REFERS: bool;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// As for [`WasmTy::into_slots`].
    unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()>;
}

/// Results of a [`TypedFunc`](crate::TypedFunc): one type, or a tuple of them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmResults: Sized {
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// The slots hold values of these types in the store.
    unsafe fn load(core: *mut StoreCore, slots: *const u64) -> Self;
}

/// What a host function's closure may return: results, or a `Result` of them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait WasmRet {
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    /// # Safety
    ///
    /// As for [`WasmTy::into_slots`].
    unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()>;
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<T: WasmTy> WasmParams for T {
    const COUNT: usize = T::SLOTS;
    const REFERS: bool = T::REFERS;
    fn types() -> Vec<ValType> {
        vec![T::val_type()]
    }
    unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { self.into_slots(core, slots) }
    }
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<T: WasmTy> WasmResults for T {
    const COUNT: usize = T::SLOTS;
    fn types() -> Vec<ValType> {
        vec![T::val_type()]
    }
    unsafe fn load(core: *mut StoreCore, slots: *const u64) -> Self {
        // SAFETY: by the contract.
        unsafe { T::from_slots(core, slots) }
    }
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<T: WasmTy> WasmRet for T {
    const COUNT: usize = T::SLOTS;
    fn types() -> Vec<ValType> {
        vec![T::val_type()]
    }
    unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { WasmParams::store(self, core, slots) }
    }
}

/// With the feature `anyhow`, closures may return its errors. The error of a closure that
/// returns `Ok` must be named then, since there are two.
#[cfg(feature = "anyhow")]
// SAFETY: as below.
unsafe impl<R: WasmRet> WasmRet for Result<R, anyhow::Error> {
    const COUNT: usize = R::COUNT;
    fn types() -> Vec<ValType> {
        R::types()
    }
    unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { self.map_err(crate::Error::from_anyhow)?.store(core, slots) }
    }
}

// SAFETY: each value is written and read as the type that is named.
unsafe impl<R: WasmRet> WasmRet for Result<R> {
    const COUNT: usize = R::COUNT;
    fn types() -> Vec<ValType> {
        R::types()
    }
    unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
        // SAFETY: by the contract.
        unsafe { self?.store(core, slots) }
    }
}

/// A closure that can be a host function: up to 16 parameters, with or without a
/// [`Caller`] before them.
///
/// # Safety
///
/// Slots get and hold values of exactly the types that are named; only this crate
/// implements it.
pub unsafe trait IntoFunc<T, P, R>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_func(self, engine: &Engine) -> (FuncType, HostCode);
}

/// A closure that gets no more than these values.
struct Numbers<P>(PhantomData<P>);

impl<P: WasmParams> Access for Numbers<P> {
    const VISITS: bool = P::REFERS;
}

macro_rules! tuples {
    ($($name:ident)*) => {
        #[allow(
            non_snake_case,
            unused_variables,
            unused_mut,
            unused_assignments,
            clippy::unused_unit,
            reason = "one macro for all arities, 0 included"
        )]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($name: WasmTy),*> WasmParams for ($($name,)*) {
            const COUNT: usize = 0 $(+ $name::SLOTS)*;
            const REFERS: bool = false $(|| $name::REFERS)*;
            fn types() -> Vec<ValType> {
                vec![$($name::val_type()),*]
            }
            unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
                let ($($name,)*) = self;
                let mut at = 0;
                // SAFETY: by the contract.
                $(unsafe { $name.into_slots(core, slots.add(at))? }; at += $name::SLOTS;)*
                Ok(())
            }
        }

        #[allow(
            non_snake_case,
            unused_variables,
            unused_mut,
            unused_assignments,
            clippy::unused_unit,
            reason = "one macro for all arities, 0 included"
        )]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($name: WasmTy),*> WasmResults for ($($name,)*) {
            const COUNT: usize = 0 $(+ $name::SLOTS)*;
            fn types() -> Vec<ValType> {
                vec![$($name::val_type()),*]
            }
            unsafe fn load(core: *mut StoreCore, slots: *const u64) -> Self {
                let mut at = 0;
                // SAFETY: by the contract.
                $(let $name = unsafe { $name::from_slots(core, slots.add(at)) }; at += $name::SLOTS;)*
                ($($name,)*)
            }
        }

        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<$($name: WasmTy),*> WasmRet for ($($name,)*) {
            const COUNT: usize = 0 $(+ $name::SLOTS)*;
            fn types() -> Vec<ValType> {
                vec![$($name::val_type()),*]
            }
            unsafe fn store(self, core: *mut StoreCore, slots: *mut u64) -> Result<()> {
                // SAFETY: by the contract.
                unsafe { WasmParams::store(self, core, slots) }
            }
        }

        #[allow(non_snake_case, reason = "type names serve as variables")]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<T: 'static, Fun, Ret: WasmRet, $($name: WasmTy + 'static),*> IntoFunc<T, ($($name,)*), Ret> for Fun
        where
            Fun: Fn($($name),*) -> Ret + Send + Sync + 'static,
        {
            fn into_func(self, engine: &Engine) -> (FuncType, HostCode) {
                let ty = FuncType::new(engine, [$($name::val_type()),*], Ret::types());
                let code = move |call: HostCall| {
                    // SAFETY: the frame of the call has these slots, and its arguments
                    // have the function's types.
                    unsafe {
                        let ($($name,)*) = <($($name,)*) as WasmResults>::load(call.store, call.slots);
                        self($($name),*).store(call.store, call.slots)
                    }
                };
                (ty, host_code::<Numbers<($($name,)*)>, _>(code))
            }
        }

        #[allow(non_snake_case, reason = "type names serve as variables")]
        // SAFETY: each value is written and read as the type that is named.
        unsafe impl<T: 'static, Fun, Ret: WasmRet, $($name: WasmTy + 'static),*> IntoFunc<T, (Caller<'_, T>, $($name,)*), Ret> for Fun
        where
            Fun: Fn(Caller<'_, T>, $($name),*) -> Ret + Send + Sync + 'static,
        {
            fn into_func(self, engine: &Engine) -> (FuncType, HostCode) {
                let ty = FuncType::new(engine, [$($name::val_type()),*], Ret::types());
                let code = move |call: HostCall| {
                    // SAFETY: the frame of the call has these slots, and its arguments
                    // have the function's types.
                    unsafe {
                        let ($($name,)*) = <($($name,)*) as WasmResults>::load(call.store, call.slots);
                        self(Caller::new(call), $($name),*).store(call.store, call.slots)
                    }
                };
                (ty, host_code::<Visits, _>(code))
            }
        }
    };
}

tuples!();
tuples!(A1);
tuples!(A1 A2);
tuples!(A1 A2 A3);
tuples!(A1 A2 A3 A4);
tuples!(A1 A2 A3 A4 A5);
tuples!(A1 A2 A3 A4 A5 A6);
tuples!(A1 A2 A3 A4 A5 A6 A7);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
tuples!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
