//! Component values whose types are known at run time.

use crate::{ReaderAny, ResourceAny};

/// A value of a component.
///
/// Specification: Component Model, "Type Definitions".
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each is the type of its name")]
pub enum Val {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    Float32(f32),
    Float64(f64),
    Char(char),
    String(String),
    List(Vec<Val>),
    /// Pairs of keys and values, in the order in which they were given.
    Map(Vec<(Val, Val)>),
    /// Names and values of all fields, in the order of the type.
    Record(Vec<(String, Val)>),
    Tuple(Vec<Val>),
    /// The case and its payload.
    Variant(String, Option<Box<Val>>),
    Enum(String),
    Option(Option<Box<Val>>),
    Result(Result<Option<Box<Val>>, Option<Box<Val>>>),
    /// The names that are set.
    Flags(Vec<String>),
    Resource(ResourceAny),
    FixedLengthList(Vec<Val>),
    /// The readable end.
    Stream(ReaderAny),
    /// The readable end.
    Future(ReaderAny),
    /// What is known of a failure, in words.
    ErrorContext(String),
}

impl PartialEq for Val {
    /// Values are equal if they look the same to a guest; NaN is equal to NaN, and sets
    /// of flags do not depend on the order of names.
    fn eq(&self, other: &Val) -> bool {
        match (self, other) {
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::S8(a), Val::S8(b)) => a == b,
            (Val::U8(a), Val::U8(b)) => a == b,
            (Val::S16(a), Val::S16(b)) => a == b,
            (Val::U16(a), Val::U16(b)) => a == b,
            (Val::S32(a), Val::S32(b)) => a == b,
            (Val::U32(a), Val::U32(b)) => a == b,
            (Val::S64(a), Val::S64(b)) => a == b,
            (Val::U64(a), Val::U64(b)) => a == b,
            (Val::Float32(a), Val::Float32(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Val::Float64(a), Val::Float64(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Val::Char(a), Val::Char(b)) => a == b,
            (Val::String(a), Val::String(b)) => a == b,
            (Val::List(a), Val::List(b)) => a == b,
            (Val::Map(a), Val::Map(b)) => a == b,
            (Val::Record(a), Val::Record(b)) => a == b,
            (Val::Tuple(a), Val::Tuple(b)) => a == b,
            (Val::Variant(a, x), Val::Variant(b, y)) => a == b && x == y,
            (Val::Enum(a), Val::Enum(b)) => a == b,
            (Val::Option(a), Val::Option(b)) => a == b,
            (Val::Result(a), Val::Result(b)) => a == b,
            (Val::Flags(a), Val::Flags(b)) => {
                a.iter().all(|name| b.contains(name)) && b.iter().all(|name| a.contains(name))
            }
            (Val::Resource(a), Val::Resource(b)) => a == b,
            (Val::Stream(a), Val::Stream(b)) | (Val::Future(a), Val::Future(b)) => a == b,
            (Val::ErrorContext(a), Val::ErrorContext(b)) => a == b,
            (Val::FixedLengthList(a), Val::FixedLengthList(b)) => a == b,
            _ => false,
        }
    }
}
