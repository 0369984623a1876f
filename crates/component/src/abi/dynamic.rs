//! Values whose types are known at run time.
//!
//! [`Val`] is a Rust type like others here, which stands for any type.

use zwasm::{Error, Result};

use super::{
    ComponentType, Lift, LiftContext, Lower, LowerContext, Place, TypeContext, unexpected,
};
use crate::types::{Defined, InterfaceType};
use crate::{ResourceAny, Val};

impl ComponentType for Val {
    fn typecheck(_: InterfaceType, _: &TypeContext<'_>) -> Result<()> {
        Ok(())
    }
}

impl Lift for Val {
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self> {
        use InterfaceType as T;
        Ok(match ty {
            T::Bool => Val::Bool(Lift::lift(cx, ty, at)?),
            T::S8 => Val::S8(Lift::lift(cx, ty, at)?),
            T::U8 => Val::U8(Lift::lift(cx, ty, at)?),
            T::S16 => Val::S16(Lift::lift(cx, ty, at)?),
            T::U16 => Val::U16(Lift::lift(cx, ty, at)?),
            T::S32 => Val::S32(Lift::lift(cx, ty, at)?),
            T::U32 => Val::U32(Lift::lift(cx, ty, at)?),
            T::S64 => Val::S64(Lift::lift(cx, ty, at)?),
            T::U64 => Val::U64(Lift::lift(cx, ty, at)?),
            T::F32 => Val::Float32(Lift::lift(cx, ty, at)?),
            T::F64 => Val::Float64(Lift::lift(cx, ty, at)?),
            T::Char => Val::Char(Lift::lift(cx, ty, at)?),
            T::String => Val::String(Lift::lift(cx, ty, at)?),
            T::Own(_) | T::Borrow(_) => Val::Resource(ResourceAny::lift(cx, ty, at)?),
            T::ErrorContext => {
                let index = u32::lift(cx, T::U32, at)?;
                let text = cx.state.error_at(cx.options.instance, index)?;
                cx.budget.allocate(text.len(), 1)?;
                Val::ErrorContext(text.to_string())
            }
            T::Defined(index) => {
                let types = cx.cx.types;
                return lift_defined(cx, &types[index], ty, at);
            }
        })
    }
}

/// So many values, in just the room that they take.
fn lift_each(
    cx: &mut LiftContext<'_>,
    count: usize,
    mut lift: impl FnMut(&mut LiftContext<'_>, usize) -> Result<Val>,
) -> Result<Vec<Val>> {
    cx.budget.allocate(count, size_of::<Val>())?;
    let mut values = Vec::with_capacity(count);
    for index in 0..count {
        values.push(lift(cx, index)?);
    }
    Ok(values)
}

/// The payload of a case, if it has one.
fn lift_payload(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    at: Place,
    case: usize,
    payload: Option<InterfaceType>,
) -> Result<Option<Box<Val>>> {
    let Some(_) = payload else { return Ok(None) };
    cx.budget.allocate(1, size_of::<Val>())?;
    cx.lift_part(ty, at, case).map(Box::new).map(Some)
}

fn lift_defined(
    cx: &mut LiftContext<'_>,
    defined: &Defined,
    ty: InterfaceType,
    at: Place,
) -> Result<Val> {
    Ok(match defined {
        Defined::Record(fields) => {
            cx.budget.allocate(fields.len(), size_of::<(String, Val)>())?;
            let mut values = Vec::with_capacity(fields.len());
            for (index, (name, _)) in fields.iter().enumerate() {
                // A list of records has as many names as it has fields in all.
                cx.budget.allocate(name.len(), 1)?;
                values.push((name.to_string(), cx.lift_part(ty, at, index)?));
            }
            Val::Record(values)
        }
        Defined::Tuple(types) => {
            Val::Tuple(lift_each(cx, types.len(), |cx, index| cx.lift_part(ty, at, index))?)
        }
        Defined::Variant(cases) => {
            let case = cx.case(ty, at)?;
            let (name, payload) = cases.get(case).ok_or_else(unexpected)?;
            cx.budget.allocate(name.len(), 1)?;
            Val::Variant(name.to_string(), lift_payload(cx, ty, at, case, *payload)?)
        }
        Defined::Enum(names) => {
            let name = names.get(cx.case(ty, at)?).ok_or_else(unexpected)?;
            cx.budget.allocate(name.len(), 1)?;
            Val::Enum(name.to_string())
        }
        Defined::Option(some) => {
            let case = cx.case(ty, at)?;
            Val::Option(lift_payload(cx, ty, at, case, (case == 1).then_some(*some))?)
        }
        Defined::Result { ok, err } => Val::Result(match cx.case(ty, at)? {
            0 => Ok(lift_payload(cx, ty, at, 0, *ok)?),
            case => Err(lift_payload(cx, ty, at, case, *err)?),
        }),
        Defined::Flags(names) => {
            let mut set = Vec::new();
            for (word, names) in names.chunks(32).enumerate() {
                let bits = cx.flags(ty, at, word)?;
                let count = bits.count_ones() as usize;
                cx.budget.allocate(count, size_of::<String>())?;
                set.reserve_exact(count);
                let mut names = names.iter().enumerate();
                for name in names.by_ref().filter(|(bit, _)| bits >> bit & 1 == 1).map(|n| n.1) {
                    cx.budget.allocate(name.len(), 1)?;
                    set.push(name.to_string());
                }
            }
            Val::Flags(set)
        }
        Defined::List(_) => Val::List(Lift::lift(cx, ty, at)?),
        Defined::Stream(_) => Val::Stream(Lift::lift(cx, ty, at)?),
        Defined::Future(_) => Val::Future(Lift::lift(cx, ty, at)?),
        Defined::FixedList(element, length) => {
            let shape = cx.cx.types.shape(*element);
            Val::FixedLengthList(lift_each(cx, *length as usize, |cx, index| {
                Val::lift(cx, *element, at.element(shape, index))
            })?)
        }
        Defined::Map(..) => Val::Map(cx.pairs(ty, at)?),
    })
}

/// What a value is called in an error.
fn name(value: &Val) -> &'static str {
    match value {
        Val::Bool(_) => "bool",
        Val::S8(_) => "s8",
        Val::U8(_) => "u8",
        Val::S16(_) => "s16",
        Val::U16(_) => "u16",
        Val::S32(_) => "s32",
        Val::U32(_) => "u32",
        Val::S64(_) => "s64",
        Val::U64(_) => "u64",
        Val::Float32(_) => "f32",
        Val::Float64(_) => "f64",
        Val::Char(_) => "char",
        Val::String(_) => "string",
        Val::List(_) => "list",
        Val::Map(_) => "map",
        Val::Record(_) => "record",
        Val::Tuple(_) => "tuple",
        Val::Variant(..) => "variant",
        Val::Enum(_) => "enum",
        Val::Option(_) => "option",
        Val::Result(_) => "result",
        Val::Flags(_) => "flags",
        Val::Resource(_) => "resource",
        Val::FixedLengthList(_) => "list of fixed length",
        Val::Stream(_) => "stream",
        Val::Future(_) => "future",
        Val::ErrorContext(_) => "error-context",
    }
}

/// Writes a case and its payload, if it has one.
fn lower_case(
    cx: &mut LowerContext<'_>,
    ty: InterfaceType,
    at: Place,
    case: usize,
    (payload, value): (Option<InterfaceType>, Option<&Val>),
    name: &str,
) -> Result<()> {
    cx.set_case(ty, at, case)?;
    match (payload, value) {
        (Some(_), Some(value)) => cx.lower_part(ty, at, case, value),
        (None, None) => Ok(()),
        (Some(_), None) => Err(Error::msg(format!("expected a payload for case `{name}`"))),
        (None, Some(_)) => Err(Error::msg(format!("did not expect a payload for case `{name}`"))),
    }
}

fn count(what: &str, expected: usize, found: usize) -> Result<()> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::msg(format!("expected {expected} {what}, got {found}"))),
    }
}

impl Lower for Val {
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()> {
        use InterfaceType as T;
        match (self, ty) {
            (Val::Bool(value), T::Bool) => value.lower(cx, ty, at),
            (Val::S8(value), T::S8) => value.lower(cx, ty, at),
            (Val::U8(value), T::U8) => value.lower(cx, ty, at),
            (Val::S16(value), T::S16) => value.lower(cx, ty, at),
            (Val::U16(value), T::U16) => value.lower(cx, ty, at),
            (Val::S32(value), T::S32) => value.lower(cx, ty, at),
            (Val::U32(value), T::U32) => value.lower(cx, ty, at),
            (Val::S64(value), T::S64) => value.lower(cx, ty, at),
            (Val::U64(value), T::U64) => value.lower(cx, ty, at),
            (Val::Float32(value), T::F32) => value.lower(cx, ty, at),
            (Val::Float64(value), T::F64) => value.lower(cx, ty, at),
            (Val::Char(value), T::Char) => value.lower(cx, ty, at),
            (Val::String(value), T::String) => value.lower(cx, ty, at),
            (Val::Resource(value), T::Own(_) | T::Borrow(_)) => value.lower(cx, ty, at),
            (Val::ErrorContext(text), T::ErrorContext) => {
                let instance = cx.options.instance;
                let index = cx.state().new_error(instance, text.as_str().into())?;
                index.lower(cx, T::U32, at)
            }
            (_, T::Defined(index)) => {
                let types = cx.cx.types;
                lower_defined(self, cx, &types[index], ty, at)
            }
            _ => Err(wrong(self, cx, ty)),
        }
    }
}

#[cold]
fn wrong(value: &Val, cx: &LowerContext<'_>, ty: InterfaceType) -> Error {
    // The other way round: the function says what it expects.
    let expected = super::rust::name(cx.cx.types, ty);
    let found = name(value);
    Error::msg(format!("type mismatch: expected {expected}, found {found}"))
}

fn lower_defined(
    value: &Val,
    cx: &mut LowerContext<'_>,
    defined: &Defined,
    ty: InterfaceType,
    at: Place,
) -> Result<()> {
    match (value, defined) {
        (Val::Record(values), Defined::Record(fields)) => {
            count("fields", fields.len(), values.len())?;
            for (index, ((found, value), (expected, _))) in values.iter().zip(fields).enumerate() {
                if **found != **expected {
                    return Err(Error::msg(format!("expected field `{expected}`, got `{found}`")));
                }
                cx.lower_part(ty, at, index, value)?;
            }
            Ok(())
        }
        (Val::Tuple(values), Defined::Tuple(types)) => {
            count("values", types.len(), values.len())?;
            let mut values = values.iter().enumerate();
            values.try_for_each(|(index, value)| cx.lower_part(ty, at, index, value))
        }
        (Val::Variant(name, value), Defined::Variant(cases)) => {
            let case = cases.iter().position(|(case, _)| **case == **name);
            let case = case.ok_or_else(|| no_such("variant case", name))?;
            lower_case(cx, ty, at, case, (cases[case].1, value.as_deref()), name)
        }
        (Val::Enum(name), Defined::Enum(names)) => {
            let case = names.iter().position(|case| **case == **name);
            cx.set_case(ty, at, case.ok_or_else(|| no_such("enum case", name))?)
        }
        (Val::Option(value), Defined::Option(some)) => {
            let payload = (value.is_some().then_some(*some), value.as_deref());
            lower_case(cx, ty, at, value.is_some().into(), payload, "some")
        }
        (Val::Result(value), Defined::Result { ok, err }) => match value {
            Ok(value) => lower_case(cx, ty, at, 0, (*ok, value.as_deref()), "ok"),
            Err(value) => lower_case(cx, ty, at, 1, (*err, value.as_deref()), "err"),
        },
        (Val::Flags(set), Defined::Flags(names)) => {
            let mut words = vec![0; names.len().div_ceil(32)];
            for name in set {
                let bit = names.iter().position(|known| **known == **name);
                let bit = bit.ok_or_else(|| no_such("flag", name))?;
                words[bit / 32] |= 1 << (bit % 32);
            }
            let mut words = words.into_iter().enumerate();
            words.try_for_each(|(word, bits)| cx.set_flags(ty, at, word, bits))
        }
        (Val::Stream(end), Defined::Stream(_)) | (Val::Future(end), Defined::Future(_)) => {
            end.lower(cx, ty, at)
        }
        (Val::List(values), Defined::List(_)) => values.lower(cx, ty, at),
        (Val::FixedLengthList(values), Defined::FixedList(element, length)) => {
            count("elements", *length as usize, values.len())?;
            let shape = cx.cx.types.shape(*element);
            let mut values = values.iter().enumerate();
            values
                .try_for_each(|(index, value)| value.lower(cx, *element, at.element(shape, index)))
        }
        (Val::Map(pairs), Defined::Map(..)) => {
            cx.put_map(ty, at, pairs.iter().map(|(key, value)| (key, value)))
        }
        _ => Err(wrong(value, cx, ty)),
    }
}

#[cold]
fn no_such(what: &str, name: &str) -> Error {
    Error::msg(format!("unknown {what}: `{name}`"))
}
