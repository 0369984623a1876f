//! Rust types that stand for component types.
//!
//! Lists of numbers are copied as they lie in memory, which is little-endian there and
//! here.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use zwasm::{Error, Result};

use super::lift::character;
use super::{
    ComponentNamedList, ComponentType, Lift, LiftContext, Lower, LowerContext, Place, TypeContext,
    unexpected,
};
use crate::types::{Defined, InterfaceType, Types};

/// What a type is called in an error.
pub(super) fn name(types: &Types, ty: InterfaceType) -> &'static str {
    match ty {
        InterfaceType::Bool => "bool",
        InterfaceType::S8 => "s8",
        InterfaceType::U8 => "u8",
        InterfaceType::S16 => "s16",
        InterfaceType::U16 => "u16",
        InterfaceType::S32 => "s32",
        InterfaceType::U32 => "u32",
        InterfaceType::S64 => "s64",
        InterfaceType::U64 => "u64",
        InterfaceType::F32 => "f32",
        InterfaceType::F64 => "f64",
        InterfaceType::Char => "char",
        InterfaceType::String => "string",
        InterfaceType::Own(_) => "own",
        InterfaceType::ErrorContext => "error-context",
        InterfaceType::Borrow(_) => "borrow",
        InterfaceType::Defined(index) => match &types[index] {
            Defined::Record(_) => "record",
            Defined::Tuple(_) => "tuple",
            Defined::Variant(_) => "variant",
            Defined::Enum(_) => "enum",
            Defined::Option(_) => "option",
            Defined::Result { .. } => "result",
            Defined::Flags(_) => "flags",
            Defined::List(_) => "list",
            Defined::FixedList(..) => "list of fixed length",
            Defined::Map(..) => "map",
            Defined::Stream(_) => "stream",
            Defined::Future(_) => "future",
        },
    }
}

/// A Rust type stands for another type than that of a value.
#[cold]
pub(crate) fn mismatch(expected: &str, found: InterfaceType, cx: &TypeContext<'_>) -> Error {
    let found = name(cx.types, found);
    Error::msg(format!("type mismatch: expected `{expected}`, found `{found}`"))
}

macro_rules! numbers {
    ($($rust:ty, $ty:ident, $slot:expr $(, $bytes:ident)?;)*) => {$(
        impl ComponentType for $rust {
            fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
                match ty {
                    InterfaceType::$ty => Ok(()),
                    other => Err(mismatch(name(cx.types, InterfaceType::$ty), other, cx)),
                }
            }
        }

        impl Lower for $rust {
            fn lower(&self, cx: &mut LowerContext<'_>, _: InterfaceType, at: Place) -> Result<()> {
                let slot: fn($rust) -> u64 = $slot;
                cx.put(at, slot(*self), self.to_le_bytes())
            }

            fn lower_list(
                list: &[Self],
                cx: &mut LowerContext<'_>,
                _: InterfaceType,
                address: usize,
            ) -> Result<()> {
                const SIZE: usize = size_of::<$rust>();
                let bytes = cx.bytes(address, list.len() * SIZE)?;
                numbers!(@put bytes, list, SIZE $(, $bytes)?);
                Ok(())
            }
        }

        impl Lift for $rust {
            fn lift(cx: &mut LiftContext<'_>, _: InterfaceType, at: Place) -> Result<Self> {
                cx.get(at).map(<$rust>::from_le_bytes)
            }

            fn lift_list(
                cx: &mut LiftContext<'_>,
                _: InterfaceType,
                address: usize,
                length: usize,
            ) -> Result<Vec<Self>> {
                const SIZE: usize = size_of::<$rust>();
                let bytes = cx.memory.get(address..).and_then(|bytes| bytes.get(..length * SIZE));
                let bytes = bytes.ok_or_else(unexpected)?;
                Ok(numbers!(@take bytes, $rust, SIZE $(, $bytes)?))
            }
        }
    )*};
    // Lists of bytes are what most lists are, and are copied as such.
    (@put $bytes:ident, $list:ident, $size:ident, bytes) => {
        $bytes.copy_from_slice($list)
    };
    (@put $bytes:ident, $list:ident, $size:ident) => {
        for (place, value) in $bytes.as_chunks_mut::<$size>().0.iter_mut().zip($list) {
            *place = value.to_le_bytes();
        }
    };
    (@take $bytes:ident, $rust:ty, $size:ident, bytes) => {
        $bytes.to_vec()
    };
    (@take $bytes:ident, $rust:ty, $size:ident) => {
        $bytes.as_chunks::<$size>().0.iter().map(|bytes| <$rust>::from_le_bytes(*bytes)).collect()
    };
}

// Of a negative number a slot has all bits of the core type, which is 32 bits wide.
numbers! {
    i8, S8, |value| u64::from(i32::from(value) as u32);
    u8, U8, u64::from, bytes;
    i16, S16, |value| u64::from(i32::from(value) as u32);
    u16, U16, u64::from;
    i32, S32, |value| u64::from(value as u32);
    u32, U32, u64::from;
    i64, S64, |value| value as u64;
    u64, U64, |value| value;
    f32, F32, |value| u64::from(value.to_bits());
    f64, F64, f64::to_bits;
}

impl ComponentType for bool {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        match ty {
            InterfaceType::Bool => Ok(()),
            other => Err(mismatch("bool", other, cx)),
        }
    }
}

impl Lower for bool {
    fn lower(&self, cx: &mut LowerContext<'_>, _: InterfaceType, at: Place) -> Result<()> {
        cx.put(at, (*self).into(), [u8::from(*self)])
    }
}

impl Lift for bool {
    fn lift(cx: &mut LiftContext<'_>, _: InterfaceType, at: Place) -> Result<Self> {
        Ok(cx.word(at, 1)? != 0)
    }
}

impl ComponentType for char {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        match ty {
            InterfaceType::Char => Ok(()),
            other => Err(mismatch("char", other, cx)),
        }
    }
}

impl Lower for char {
    fn lower(&self, cx: &mut LowerContext<'_>, _: InterfaceType, at: Place) -> Result<()> {
        let number = u32::from(*self);
        cx.put(at, number.into(), number.to_le_bytes())
    }
}

impl Lift for char {
    fn lift(cx: &mut LiftContext<'_>, _: InterfaceType, at: Place) -> Result<Self> {
        character(cx.word(at, 4)?)
    }
}

impl ComponentType for str {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        match ty {
            InterfaceType::String => Ok(()),
            other => Err(mismatch("string", other, cx)),
        }
    }
}

impl Lower for str {
    fn lower(&self, cx: &mut LowerContext<'_>, _: InterfaceType, at: Place) -> Result<()> {
        cx.put_string(at, self)
    }
}

impl ComponentType for String {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        str::typecheck(ty, cx)
    }
}

impl Lower for String {
    fn lower(&self, cx: &mut LowerContext<'_>, _: InterfaceType, at: Place) -> Result<()> {
        cx.put_string(at, self)
    }
}

impl Lift for String {
    fn lift(cx: &mut LiftContext<'_>, _: InterfaceType, at: Place) -> Result<Self> {
        cx.string(at)
    }
}

macro_rules! pointers {
    ($($pointer:ty,)*) => {$(
        impl<T: ComponentType + ?Sized> ComponentType for $pointer {
            fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
                T::typecheck(ty, cx)
            }

            const IS_UNIT: bool = T::IS_UNIT;
        }

        impl<T: Lower + ?Sized> Lower for $pointer {
            fn lower(
                &self,
                cx: &mut LowerContext<'_>,
                ty: InterfaceType,
                at: Place,
            ) -> Result<()> {
                T::lower(self, cx, ty, at)
            }
        }
    )*};
}

pointers! { &T, Box<T>, Arc<T>, }

impl<T: Lift> Lift for Box<T> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        T::lift(cx, ty, at).map(Box::new)
    }
}

impl<T: Lift> Lift for Arc<T> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        T::lift(cx, ty, at).map(Arc::new)
    }
}

impl TypeContext<'_> {
    /// The type of a list's elements.
    pub(super) fn element(&self, ty: InterfaceType) -> Result<InterfaceType> {
        match self.defined(ty) {
            Some(Defined::List(element)) => Ok(*element),
            _ => Err(mismatch("list", ty, self)),
        }
    }

    /// The types of a map's keys and values.
    pub(super) fn map(&self, ty: InterfaceType) -> Result<(InterfaceType, InterfaceType)> {
        match self.defined(ty) {
            Some(Defined::Map(key, value)) => Ok((*key, *value)),
            _ => Err(mismatch("map", ty, self)),
        }
    }
}

impl<T: ComponentType> ComponentType for [T] {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        T::typecheck(cx.element(ty)?, cx)
    }
}

impl<T: Lower> Lower for [T] {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        let element = cx.cx.element(ty)?;
        let address = cx.allocate(self.len(), cx.cx.types.shape(element), "list")?;
        T::lower_list(self, cx, element, address)?;
        cx.put_pair(at, address, self.len())
    }
}

impl<T: ComponentType> ComponentType for Vec<T> {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        <[T]>::typecheck(ty, cx)
    }
}

impl<T: Lower> Lower for Vec<T> {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        self.as_slice().lower(cx, ty, at)
    }
}

impl<T: Lift> Lift for Vec<T> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        let element = cx.cx.element(ty)?;
        let (address, length) = cx.list(at, cx.cx.types.shape(element), size_of::<T>())?;
        T::lift_list(cx, element, address, length)
    }
}

impl<T: Lift> Lift for Box<[T]> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        Vec::lift(cx, ty, at).map(Vec::into_boxed_slice)
    }
}

impl Lift for Box<str> {
    fn lift(cx: &mut LiftContext<'_>, _: InterfaceType, at: Place) -> Result<Self> {
        cx.string(at).map(String::into_boxed_str)
    }
}

impl<T: ComponentType, const N: usize> ComponentType for [T; N] {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        match cx.defined(ty) {
            Some(Defined::FixedList(element, length)) if *length as usize == N => {
                T::typecheck(*element, cx)
            }
            Some(Defined::FixedList(_, length)) => Err(Error::msg(format!(
                "type mismatch: expected a list of length {N}, found one of length {length}"
            ))),
            _ => Err(mismatch("list of fixed length", ty, cx)),
        }
    }
}

impl<T: Lower, const N: usize> Lower for [T; N] {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        let element = cx.cx.fixed_element(ty)?;
        if let Place::Memory(address) = at {
            return T::lower_list(self, cx, element, address);
        }
        let shape = cx.cx.types.shape(element);
        for (index, value) in self.iter().enumerate() {
            value.lower(cx, element, at.element(shape, index))?;
        }
        Ok(())
    }
}

impl<T: Lift, const N: usize> Lift for [T; N] {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        let element = cx.cx.fixed_element(ty)?;
        let shape = cx.cx.types.shape(element);
        let list = match at {
            Place::Memory(address) => T::lift_list(cx, element, address, N)?,
            Place::Flat(_) => (0..N)
                .map(|index| T::lift(cx, element, at.element(shape, index)))
                .collect::<Result<_>>()?,
        };
        list.try_into().map_err(|_| unexpected())
    }
}

impl TypeContext<'_> {
    fn fixed_element(&self, ty: InterfaceType) -> Result<InterfaceType> {
        match self.defined(ty) {
            Some(Defined::FixedList(element, _)) => Ok(*element),
            _ => Err(unexpected()),
        }
    }
}

impl LowerContext<'_> {
    pub(super) fn put_map<'v, K: Lower + 'v, V: Lower + 'v>(
        &mut self,
        ty: InterfaceType,
        at: Place,
        pairs: impl ExactSizeIterator<Item = (&'v K, &'v V)>,
    ) -> Result<()> {
        let length = pairs.len();
        let (key, value) = self.cx.map(ty)?;
        let (shape, part) = self.cx.types.pair(key, value);
        let address = self.allocate(length, shape, "map")?;
        for (index, (k, v)) in pairs.enumerate() {
            let place = Place::Memory(address).element(shape, index);
            k.lower(self, key, place)?;
            v.lower(self, value, place.part(part))?;
        }
        self.put_pair(at, address, length)
    }
}

impl LiftContext<'_> {
    pub(super) fn pairs<K: Lift, V: Lift>(
        &mut self,
        ty: InterfaceType,
        at: Place,
    ) -> Result<Vec<(K, V)>> {
        let (key, value) = self.cx.map(ty)?;
        let (shape, part) = self.cx.types.pair(key, value);
        let (address, length) = self.list(at, shape, size_of::<(K, V)>())?;
        let mut pairs = Vec::with_capacity(length);
        for index in 0..length {
            let place = Place::Memory(address).element(shape, index);
            pairs.push((K::lift(self, key, place)?, V::lift(self, value, place.part(part))?));
        }
        Ok(pairs)
    }

    /// The same in a table, which has room for more than it has.
    fn table<K: Lift, V: Lift, M: FromIterator<(K, V)>>(
        &mut self,
        ty: InterfaceType,
        at: Place,
    ) -> Result<M> {
        let pairs = self.pairs(ty, at)?;
        self.budget.allocate(2 * pairs.len() + 4, size_of::<(K, V)>())?;
        Ok(pairs.into_iter().collect())
    }
}

fn check_map<K: ComponentType, V: ComponentType>(
    ty: InterfaceType,
    cx: &TypeContext<'_>,
) -> Result<()> {
    let (key, value) = cx.map(ty)?;
    K::typecheck(key, cx)?;
    V::typecheck(value, cx)
}

impl<K: ComponentType, V: ComponentType, S: Send + Sync> ComponentType for HashMap<K, V, S> {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        check_map::<K, V>(ty, cx)
    }
}

impl<K: Lower, V: Lower, S: Send + Sync> Lower for HashMap<K, V, S> {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        cx.put_map(ty, at, self.iter())
    }
}

impl<K, V, S> Lift for HashMap<K, V, S>
where
    K: Lift + Eq + Hash,
    V: Lift,
    S: BuildHasher + Default + Send + Sync,
{
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        cx.table(ty, at)
    }
}

impl<K: ComponentType, V: ComponentType> ComponentType for BTreeMap<K, V> {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        check_map::<K, V>(ty, cx)
    }
}

impl<K: Lower, V: Lower> Lower for BTreeMap<K, V> {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        cx.put_map(ty, at, self.iter())
    }
}

impl<K: Lift + Ord, V: Lift> Lift for BTreeMap<K, V> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        cx.table(ty, at)
    }
}

impl<T: ComponentType> ComponentType for Option<T> {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        match cx.defined(ty) {
            Some(Defined::Option(some)) => T::typecheck(*some, cx),
            _ => Err(mismatch("option", ty, cx)),
        }
    }
}

impl<T: Lower> Lower for Option<T> {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        cx.set_case(ty, at, self.is_some().into())?;
        match self {
            None => Ok(()),
            Some(value) => cx.lower_part(ty, at, 1, value),
        }
    }
}

impl<T: Lift> Lift for Option<T> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        match cx.case(ty, at)? {
            0 => Ok(None),
            _ => cx.lift_part(ty, at, 1).map(Some),
        }
    }
}

impl<T: ComponentType, E: ComponentType> ComponentType for Result<T, E> {
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
        cx.check_result(ty, [("ok", T::typecheck, T::IS_UNIT), ("err", E::typecheck, E::IS_UNIT)])
    }
}

impl<T: Lower, E: Lower> Lower for Result<T, E> {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        cx.set_case(ty, at, self.is_err().into())?;
        match self {
            Ok(_) if T::IS_UNIT => Ok(()),
            Err(_) if E::IS_UNIT => Ok(()),
            Ok(value) => cx.lower_part(ty, at, 0, value),
            Err(value) => cx.lower_part(ty, at, 1, value),
        }
    }
}

/// Reads a payload that may not be there.
fn lift_payload<T: Lift>(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    at: Place,
    case: usize,
) -> Result<T> {
    if T::IS_UNIT { T::lift(cx, ty, at) } else { cx.lift_part(ty, at, case) }
}

impl<T: Lift, E: Lift> Lift for Result<T, E> {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        match cx.case(ty, at)? {
            0 => lift_payload(cx, ty, at, 0).map(Ok),
            case => lift_payload(cx, ty, at, case).map(Err),
        }
    }
}

impl TypeContext<'_> {
    /// The types of a tuple.
    pub(super) fn tuple_types(&self, ty: InterfaceType) -> Result<&[InterfaceType]> {
        match self.defined(ty) {
            Some(Defined::Tuple(types)) => Ok(types),
            _ => Err(mismatch("tuple", ty, self)),
        }
    }
}

macro_rules! tuples {
    ($count:literal $($name:ident $index:tt)*) => {
        impl<$($name: ComponentType),*> ComponentType for ($($name,)*) {
            fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()> {
                cx.check_tuple(ty, &[$($name::typecheck),*])
            }

            const IS_UNIT: bool = $count == 0;
        }

        impl<$($name: Lower),*> Lower for ($($name,)*) {
            fn lower(
                &self,
                _cx: &mut LowerContext<'_>,
                _ty: InterfaceType,
                _at: Place,
            ) -> Result<()> {
                $(_cx.lower_part(_ty, _at, $index, &self.$index)?;)*
                Ok(())
            }
        }

        impl<$($name: Lift),*> Lift for ($($name,)*) {
            fn lift(
                _cx: &mut LiftContext<'_>,
                _ty: InterfaceType,
                _at: Place,
            ) -> Result<Self> {
                Ok(($(_cx.lift_part::<$name>(_ty, _at, $index)?,)*))
            }
        }

        impl<$($name: ComponentType),*> ComponentNamedList for ($($name,)*) {}
    };
}

tuples!(0);
tuples!(1 A 0);
tuples!(2 A 0 B 1);
tuples!(3 A 0 B 1 C 2);
tuples!(4 A 0 B 1 C 2 D 3);
tuples!(5 A 0 B 1 C 2 D 3 E 4);
tuples!(6 A 0 B 1 C 2 D 3 E 4 F 5);
tuples!(7 A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuples!(8 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
tuples!(9 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
tuples!(10 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
tuples!(11 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
tuples!(12 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
tuples!(13 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12);
tuples!(14 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13);
tuples!(15 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14);
tuples!(16 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15);
tuples!(17 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15 Q 16);
