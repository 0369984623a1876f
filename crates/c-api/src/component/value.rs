//! Values of components between C and the runtime.

use std::mem::{ManuallyDrop, MaybeUninit};

use runtime::Error;
use zwasm_component::ResourceAny;
use zwasm_component::wave;

use crate::object::Object;
use crate::store::StoreRef;
use crate::trap::trapping;
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

/// The kinds, as the header numbers them.
mod kind {
    pub const BOOL: u8 = 0;
    pub const S8: u8 = 1;
    pub const U8: u8 = 2;
    pub const S16: u8 = 3;
    pub const U16: u8 = 4;
    pub const S32: u8 = 5;
    pub const U32: u8 = 6;
    pub const S64: u8 = 7;
    pub const U64: u8 = 8;
    pub const F32: u8 = 9;
    pub const F64: u8 = 10;
    pub const CHAR: u8 = 11;
    pub const STRING: u8 = 12;
    pub const LIST: u8 = 13;
    pub const RECORD: u8 = 14;
    pub const TUPLE: u8 = 15;
    pub const VARIANT: u8 = 16;
    pub const ENUM: u8 = 17;
    pub const OPTION: u8 = 18;
    pub const RESULT: u8 = 19;
    pub const FLAGS: u8 = 20;
    pub const RESOURCE: u8 = 21;
    pub const MAP: u8 = 22;
    pub const FIXED_LENGTH_LIST: u8 = 23;
}

/// `zwasm_component_val_t`: a kind, and a value of it, which owns what it holds.
#[repr(C)]
pub struct Val {
    kind: u8,
    of: Of,
}

#[repr(C)]
union Of {
    boolean: u8,
    s8: i8,
    u8: u8,
    s16: i16,
    u16: u16,
    s32: i32,
    u32: u32,
    s64: i64,
    u64: u64,
    f32: f32,
    f64: f64,
    text: ManuallyDrop<CVec<u8>>,
    values: ManuallyDrop<CVec<Val>>,
    fields: ManuallyDrop<CVec<Field>>,
    names: ManuallyDrop<CVec<CVec<u8>>>,
    case: ManuallyDrop<Case>,
    option: ManuallyDrop<Ptr<Val>>,
    result: ManuallyDrop<Outcome>,
    resource: ManuallyDrop<Ptr<Resource>>,
}

/// `zwasm_component_field_t`
#[repr(C)]
#[derive(Clone, Default)]
pub struct Field {
    name: CVec<u8>,
    value: Val,
}

/// A case of a variant.
#[repr(C)]
#[derive(Clone)]
struct Case {
    name: CVec<u8>,
    payload: Ptr<Val>,
}

/// A result.
#[repr(C)]
#[derive(Clone)]
struct Outcome {
    is_err: u8,
    payload: Ptr<Val>,
}

/// `zwasm_component_resource_t`: a handle, which may be given to a guest; what it is a
/// handle of is not dropped with it.
#[derive(Clone)]
pub struct Resource {
    store: StoreRef,
    handle: ResourceAny,
}

fn name(text: String) -> CVec<u8> {
    text.into_bytes().into()
}

fn text(bytes: &CVec<u8>) -> runtime::Result<String> {
    let text = String::from_utf8(bytes.as_slice().to_vec());
    text.map_err(|_| Error::msg("a string or name of a value is not UTF-8"))
}

type Payload = Option<Box<zwasm_component::Val>>;

impl Val {
    /// A value of the runtime's as C has it.
    ///
    /// # Errors
    ///
    /// For ends of streams and futures, and error contexts, which C has not.
    pub fn from_runtime(store: &StoreRef, value: zwasm_component::Val) -> runtime::Result<Val> {
        use zwasm_component::Val as V;
        let values = |values: Vec<V>| -> runtime::Result<ManuallyDrop<CVec<Val>>> {
            let values = values.into_iter().map(|value| Val::from_runtime(store, value));
            Ok(ManuallyDrop::new(values.collect::<runtime::Result<Vec<_>>>()?.into()))
        };
        let payload = |payload: Payload| -> runtime::Result<Ptr<Val>> {
            payload.map(|value| Ok(Box::new(Val::from_runtime(store, *value)?))).transpose()
        };
        let (kind, of) = match value {
            V::Bool(value) => (kind::BOOL, Of { boolean: value.into() }),
            V::S8(s8) => (kind::S8, Of { s8 }),
            V::U8(u8) => (kind::U8, Of { u8 }),
            V::S16(s16) => (kind::S16, Of { s16 }),
            V::U16(u16) => (kind::U16, Of { u16 }),
            V::S32(s32) => (kind::S32, Of { s32 }),
            V::U32(u32) => (kind::U32, Of { u32 }),
            V::S64(s64) => (kind::S64, Of { s64 }),
            V::U64(u64) => (kind::U64, Of { u64 }),
            V::Float32(f32) => (kind::F32, Of { f32 }),
            V::Float64(f64) => (kind::F64, Of { f64 }),
            V::Char(value) => (kind::CHAR, Of { u32: value.into() }),
            V::String(text) => (kind::STRING, Of { text: ManuallyDrop::new(name(text)) }),
            V::List(list) => (kind::LIST, Of { values: values(list)? }),
            V::FixedLengthList(list) => (kind::FIXED_LENGTH_LIST, Of { values: values(list)? }),
            V::Tuple(parts) => (kind::TUPLE, Of { values: values(parts)? }),
            V::Map(pairs) => {
                let pairs = pairs.into_iter().map(|(key, value)| V::Tuple(vec![key, value]));
                (kind::MAP, Of { values: values(pairs.collect())? })
            }
            V::Record(fields) => {
                let fields = fields.into_iter().map(|(field, value)| {
                    Ok(Field { name: name(field), value: Val::from_runtime(store, value)? })
                });
                let fields = fields.collect::<runtime::Result<Vec<_>>>()?;
                (kind::RECORD, Of { fields: ManuallyDrop::new(fields.into()) })
            }
            V::Variant(case, value) => {
                let case = Case { name: name(case), payload: payload(value)? };
                (kind::VARIANT, Of { case: ManuallyDrop::new(case) })
            }
            V::Enum(case) => (kind::ENUM, Of { text: ManuallyDrop::new(name(case)) }),
            V::Option(value) => (kind::OPTION, Of { option: ManuallyDrop::new(payload(value)?) }),
            V::Result(result) => {
                let (is_err, value) = match result {
                    Ok(value) => (0, value),
                    Err(value) => (1, value),
                };
                let result = Outcome { is_err, payload: payload(value)? };
                (kind::RESULT, Of { result: ManuallyDrop::new(result) })
            }
            V::Flags(names) => {
                let names = names.into_iter().map(name).collect();
                (kind::FLAGS, Of { names: ManuallyDrop::new(names) })
            }
            V::Resource(handle) => {
                let resource = Some(Box::new(Resource { store: store.clone(), handle }));
                (kind::RESOURCE, Of { resource: ManuallyDrop::new(resource) })
            }
            V::Stream(_) => return Err(Error::msg("C has no values for ends of streams")),
            V::Future(_) => return Err(Error::msg("C has no values for ends of futures")),
            V::ErrorContext(_) => return Err(Error::msg("C has no values for error contexts")),
        };
        Ok(Val { kind, of })
    }

    /// The value as the runtime has it.
    pub fn to_runtime(&self) -> runtime::Result<zwasm_component::Val> {
        use zwasm_component::Val as V;
        let values = |values: &CVec<Val>| -> runtime::Result<Vec<V>> {
            values.as_slice().iter().map(Val::to_runtime).collect()
        };
        let payload = |payload: &Ptr<Val>| -> runtime::Result<Payload> {
            payload.as_ref().map(|value| Ok(Box::new(value.to_runtime()?))).transpose()
        };
        // SAFETY: the kind says which field has been written; see the crate's header. Bits of
        // the fields of numbers are values of theirs.
        unsafe {
            Ok(match self.kind {
                kind::BOOL => V::Bool(self.of.boolean != 0),
                kind::S8 => V::S8(self.of.s8),
                kind::U8 => V::U8(self.of.u8),
                kind::S16 => V::S16(self.of.s16),
                kind::U16 => V::U16(self.of.u16),
                kind::S32 => V::S32(self.of.s32),
                kind::U32 => V::U32(self.of.u32),
                kind::S64 => V::S64(self.of.s64),
                kind::U64 => V::U64(self.of.u64),
                kind::F32 => V::Float32(self.of.f32),
                kind::F64 => V::Float64(self.of.f64),
                kind::CHAR => {
                    let number = self.of.u32;
                    let no_char = || Error::msg(format!("{number:#x} is no Unicode scalar value"));
                    V::Char(char::from_u32(number).ok_or_else(no_char)?)
                }
                kind::STRING => V::String(text(&self.of.text)?),
                kind::LIST => V::List(values(&self.of.values)?),
                kind::FIXED_LENGTH_LIST => V::FixedLengthList(values(&self.of.values)?),
                kind::TUPLE => V::Tuple(values(&self.of.values)?),
                kind::MAP => {
                    let pair = |pair| match pair {
                        V::Tuple(pair) => <[V; 2]>::try_from(pair).ok().map(|[k, v]| (k, v)),
                        _ => None,
                    };
                    let pairs = values(&self.of.values)?.into_iter().map(pair).collect();
                    let no_pair = || Error::msg("an entry of a map is no tuple of two");
                    V::Map(Option::ok_or_else(pairs, no_pair)?)
                }
                kind::RECORD => {
                    let field = |field: &Field| Ok((text(&field.name)?, field.value.to_runtime()?));
                    let fields = self.of.fields.as_slice().iter().map(field);
                    V::Record(fields.collect::<runtime::Result<_>>()?)
                }
                kind::VARIANT => {
                    let Case { name, payload: value } = &*self.of.case;
                    V::Variant(text(name)?, payload(value)?)
                }
                kind::ENUM => V::Enum(text(&self.of.text)?),
                kind::OPTION => V::Option(payload(&self.of.option)?),
                kind::RESULT => {
                    let Outcome { is_err, payload: value } = &*self.of.result;
                    let value = payload(value)?;
                    V::Result(if *is_err == 0 { Ok(value) } else { Err(value) })
                }
                kind::FLAGS => {
                    let names = self.of.names.as_slice().iter().map(text);
                    V::Flags(names.collect::<runtime::Result<_>>()?)
                }
                kind::RESOURCE => match self.of.resource.as_deref() {
                    Some(resource) => V::Resource(resource.handle),
                    None => return Err(Error::msg("a resource is null")),
                },
                kind => return Err(Error::msg(format!("no value is of kind {kind}"))),
            })
        }
    }
}

impl Default for Val {
    fn default() -> Val {
        Val { kind: kind::BOOL, of: Of { u64: 0 } }
    }
}

impl Clone for Val {
    fn clone(&self) -> Val {
        // SAFETY: as in `to_runtime`; numbers are their bits.
        let of = unsafe {
            match self.kind {
                kind::STRING | kind::ENUM => Of { text: self.of.text.clone() },
                kind::LIST | kind::FIXED_LENGTH_LIST | kind::TUPLE | kind::MAP => {
                    Of { values: self.of.values.clone() }
                }
                kind::RECORD => Of { fields: self.of.fields.clone() },
                kind::VARIANT => Of { case: self.of.case.clone() },
                kind::OPTION => Of { option: self.of.option.clone() },
                kind::RESULT => Of { result: self.of.result.clone() },
                kind::FLAGS => Of { names: self.of.names.clone() },
                kind::RESOURCE => Of { resource: self.of.resource.clone() },
                _ => std::ptr::read(&self.of),
            }
        };
        Val { kind: self.kind, of }
    }
}

impl Drop for Val {
    fn drop(&mut self) {
        // SAFETY: as in `to_runtime`; this is the last use.
        unsafe {
            match self.kind {
                kind::STRING | kind::ENUM => ManuallyDrop::drop(&mut self.of.text),
                kind::LIST | kind::FIXED_LENGTH_LIST | kind::TUPLE | kind::MAP => {
                    ManuallyDrop::drop(&mut self.of.values);
                }
                kind::RECORD => ManuallyDrop::drop(&mut self.of.fields),
                kind::VARIANT => ManuallyDrop::drop(&mut self.of.case),
                kind::OPTION => ManuallyDrop::drop(&mut self.of.option),
                kind::RESULT => ManuallyDrop::drop(&mut self.of.result),
                kind::FLAGS => ManuallyDrop::drop(&mut self.of.names),
                kind::RESOURCE => ManuallyDrop::drop(&mut self.of.resource),
                _ => {}
            }
        }
    }
}

/// Frees what a value holds; it is the `bool` false then.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_val_delete(value: Option<&mut Val>) {
    guard(|| drop(value.map(std::mem::take)));
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_val_copy(out: &mut MaybeUninit<Val>, value: &Val) {
    out.write(guard(|| value.clone()));
}

/// Moves a value to where another one can point to it.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_val_new(value: &mut Val) -> Ptr<Val> {
    guard(|| Some(Box::new(std::mem::take(value))))
}

/// Frees a value that another one could point to.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_val_free(value: Ptr<Val>) {
    guard(|| drop(value));
}

/// The text of a value.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_val_to_text(
    value: &Val,
    out: &mut MaybeUninit<CVec<u8>>,
) -> bool {
    let text = attempt(|| wave::write(&value.to_runtime()?));
    let done = text.is_some();
    out.write(name(text.unwrap_or_default()));
    done
}

/// Whether a handle is its resource's owner.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_resource_is_owned(resource: &Resource) -> bool {
    guard(|| resource.handle.owned())
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_resource_copy(resource: Option<&Resource>) -> Ptr<Resource> {
    guard(|| resource.cloned().map(Box::new))
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_resource_delete(resource: Ptr<Resource>) {
    guard(|| drop(resource));
}

/// Drops the resource if the handle is its owner, or else gives up the handle.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_resource_drop(resource: &Resource) -> Ptr<Object> {
    let Resource { store, handle } = resource.clone();
    trapping(&store, || handle.resource_drop(store.context()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zwasm_component::Val as V;

    #[test]
    fn values_are_the_same_on_both_sides() {
        let store = crate::store::wasm_store_new(&runtime::Engine::default()).expect("a store");
        let payload = |value| Some(Box::new(value));
        let values = [
            V::Bool(true),
            V::S8(-1),
            V::U8(255),
            V::S16(-2),
            V::U16(65535),
            V::S32(i32::MIN),
            V::U32(u32::MAX),
            V::S64(i64::MIN),
            V::U64(u64::MAX),
            V::Float32(-0.0),
            V::Float64(f64::NAN),
            V::Char('é'),
            V::String("é\0".into()),
            V::List(vec![V::U8(1), V::U8(2)]),
            V::FixedLengthList(vec![V::U8(1)]),
            V::Tuple(vec![V::Bool(false), V::String(String::new())]),
            V::Map(vec![(V::U8(1), V::String("a".into())), (V::U8(2), V::String("b".into()))]),
            V::Record(vec![("a".into(), V::U8(1)), ("b".into(), V::List(vec![]))]),
            V::Variant("a".into(), None),
            V::Variant("b".into(), payload(V::Char('b'))),
            V::Enum("c".into()),
            V::Option(None),
            V::Option(payload(V::Option(payload(V::U8(3))))),
            V::Result(Ok(None)),
            V::Result(Err(payload(V::String("wrong".into())))),
            V::Flags(vec!["x".into(), "y".into()]),
        ];
        for value in values {
            let there = Val::from_runtime(&store, value.clone()).expect("C has such values");
            let copy = there.clone();
            drop(there);
            assert_eq!(copy.to_runtime().expect("a value"), value);
        }
    }

    #[test]
    fn what_is_no_value_is_an_error() {
        let no_text = || ManuallyDrop::new(CVec::from(vec![0xff]));
        for (kind, of, expected) in [
            (kind::CHAR, Of { u32: 0xd800 }, "0xd800 is no Unicode scalar value"),
            (kind::STRING, Of { text: no_text() }, "not UTF-8"),
            (kind::RESOURCE, Of { resource: ManuallyDrop::new(None) }, "null"),
            (
                kind::MAP,
                Of { values: ManuallyDrop::new(vec![Val::default()].into()) },
                "no tuple of two",
            ),
            (99, Of { u64: 0 }, "kind 99"),
        ] {
            let error = Val { kind, of }.to_runtime().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
