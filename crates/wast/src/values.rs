//! Values of scripts: arguments given, results expected, and both as text.
//!
//! A result is compared by its bits. Only `nan:canonical` and
//! `nan:arithmetic`, which the specification defines as sets of bit patterns,
//! are compared as sets; for vectors that is so in every lane.

pub(crate) mod component;

use std::fmt::{self, Display};
use wasmparser::{KnownCustom, Name, Parser, Payload};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64, Index};
use wast::{WastArg, WastRet};
use zwasm::{ExternRef, Func, Instance, Store, Val};

/// The value an argument of a script denotes.
///
/// # Errors
/// When the engine has no such value; the text says which one.
pub(crate) fn argument(store: &mut Store<()>, argument: &WastArg<'_>) -> Result<Val, String> {
    let WastArg::Core(core) = argument else {
        return Err("a component value cannot be given to a core function".into());
    };
    match core {
        WastArgCore::I32(value) => Ok(Val::I32(*value)),
        WastArgCore::I64(value) => Ok(Val::I64(*value)),
        WastArgCore::F32(value) => Ok(Val::F32(value.bits)),
        WastArgCore::F64(value) => Ok(Val::F64(value.bits)),
        WastArgCore::V128(value) => Ok(Val::V128(u128::from_le_bytes(value.to_le_bytes()).into())),
        WastArgCore::RefNull(heap) => {
            null(heap).ok_or_else(|| format!("unsupported: (ref.null {})", HeapName(heap)))
        }
        WastArgCore::RefExtern(number) => match ExternRef::new(store, *number) {
            Ok(reference) => Ok(Val::ExternRef(Some(reference))),
            Err(error) => Err(error.to_string()),
        },
        WastArgCore::RefHost(number) => match ExternRef::new(store, *number) {
            Ok(reference) => Ok(Val::AnyRef(Some(reference.to_any()))),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// The null of the hierarchy that a heap type belongs to.
fn null(heap: &HeapType<'_>) -> Option<Val> {
    let HeapType::Abstract { shared: false, ty } = heap else {
        return None;
    };
    match ty {
        AbstractHeapType::Func | AbstractHeapType::NoFunc => Some(Val::FuncRef(None)),
        AbstractHeapType::Extern | AbstractHeapType::NoExtern => Some(Val::ExternRef(None)),
        AbstractHeapType::Exn | AbstractHeapType::NoExn => Some(Val::ExnRef(None)),
        AbstractHeapType::Any
        | AbstractHeapType::Eq
        | AbstractHeapType::Struct
        | AbstractHeapType::Array
        | AbstractHeapType::I31
        | AbstractHeapType::None => Some(Val::AnyRef(None)),
        AbstractHeapType::Cont | AbstractHeapType::NoCont => None,
    }
}

/// Whether each value is one that its pattern allows. Functions are those of `instance`.
pub(crate) fn all_match(
    store: &mut Store<()>,
    instance: Option<Instance>,
    values: &[Val],
    patterns: &[WastRet<'_>],
) -> bool {
    values.len() == patterns.len()
        && values.iter().zip(patterns).all(|(value, pattern)| match pattern {
            WastRet::Core(core) => matches(store, instance, value, core),
            _ => false,
        })
}

fn matches(
    store: &mut Store<()>,
    instance: Option<Instance>,
    value: &Val,
    pattern: &WastRetCore<'_>,
) -> bool {
    match (pattern, value) {
        (WastRetCore::Either(patterns), _) => {
            patterns.iter().any(|one| matches(store, instance, value, one))
        }
        (WastRetCore::I32(expected), Val::I32(got)) => expected == got,
        (WastRetCore::I64(expected), Val::I64(got)) => expected == got,
        (WastRetCore::F32(expected), Val::F32(got)) => f32_matches(expected, *got),
        (WastRetCore::F64(expected), Val::F64(got)) => f64_matches(expected, *got),
        (WastRetCore::V128(expected), Val::V128(got)) => v128_matches(expected, got.as_u128()),
        (WastRetCore::RefNull(heap), _) => match heap {
            None => is_null(value),
            Some(heap) => null(heap).is_some_and(|null| {
                is_null(value) && std::mem::discriminant(&null) == std::mem::discriminant(value)
            }),
        },
        (WastRetCore::RefFunc(None), Val::FuncRef(got)) => got.is_some(),
        (WastRetCore::RefFunc(Some(index)), Val::FuncRef(Some(got))) => {
            function(store, instance, index) == Some(*got)
        }
        (WastRetCore::RefExtern(expected), Val::ExternRef(Some(got))) => {
            expected.is_none_or(|number| host_number(store, got) == Some(number))
        }
        (WastRetCore::RefHost(number), Val::AnyRef(Some(got))) => {
            host_number(store, &got.to_extern()) == Some(*number)
        }
        (WastRetCore::RefAny, Val::AnyRef(got)) => got.is_some(),
        (WastRetCore::RefI31, Val::AnyRef(Some(got))) => matches!(got.is_i31(store), Ok(true)),
        (WastRetCore::RefStruct, Val::AnyRef(Some(got))) => {
            matches!(got.as_struct(store), Ok(Some(_)))
        }
        (WastRetCore::RefArray, Val::AnyRef(Some(got))) => {
            matches!(got.as_array(store), Ok(Some(_)))
        }
        (WastRetCore::RefEq, Val::AnyRef(Some(got))) => {
            matches!(got.is_eqref(store), Ok(true))
        }
        _ => false,
    }
}

/// The function of the instance that a script means. A name in its text is found in the
/// name section, where our parser puts it.
fn function(store: &mut Store<()>, instance: Option<Instance>, index: &Index<'_>) -> Option<Func> {
    let instance = instance?;
    let index = match index {
        Index::Num(index, _) => *index,
        Index::Id(id) => function_named(instance.module(&mut *store).binary(), id.name())?,
    };
    instance.debug_function(store, index)
}

fn function_named(binary: &[u8], name: &str) -> Option<u32> {
    let names = Parser::new(0).parse_all(binary).find_map(|payload| match payload.ok()? {
        Payload::CustomSection(section) => match section.as_known() {
            KnownCustom::Name(names) => Some(names),
            _ => None,
        },
        _ => None,
    })?;
    let functions = names.into_iter().find_map(|part| match part.ok()? {
        Name::Function(functions) => Some(functions),
        _ => None,
    })?;
    let mut functions = functions.into_iter().filter_map(Result::ok);
    Some(functions.find(|function| function.name == name)?.index)
}

fn is_null(value: &Val) -> bool {
    matches!(
        value,
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None)
    )
}

/// The number a script put into an `externref`.
fn host_number(store: &Store<()>, reference: &ExternRef) -> Option<u32> {
    reference.data(store).ok()??.downcast_ref::<u32>().copied()
}

fn f32_matches(pattern: &NanPattern<F32>, bits: u32) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => bits == value.bits,
    }
}

fn f64_matches(pattern: &NanPattern<F64>, bits: u64) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(value) => bits == value.bits,
    }
}

fn v128_matches(pattern: &V128Pattern, bits: u128) -> bool {
    let mut at = 0..;
    let mut lane = |width: u32| lane(bits, width, at.next().unwrap_or(0));
    match pattern {
        V128Pattern::I8x16(lanes) => lanes.iter().all(|&value| lane(8) as i8 == value),
        V128Pattern::I16x8(lanes) => lanes.iter().all(|&value| lane(16) as i16 == value),
        V128Pattern::I32x4(lanes) => lanes.iter().all(|&value| lane(32) as i32 == value),
        V128Pattern::I64x2(lanes) => lanes.iter().all(|&value| lane(64) as i64 == value),
        V128Pattern::F32x4(lanes) => lanes.iter().all(|one| f32_matches(one, lane(32) as u32)),
        V128Pattern::F64x2(lanes) => lanes.iter().all(|one| f64_matches(one, lane(64))),
    }
}

/// Lane `index` of the vector `bits`, counted from the least significant end.
fn lane(bits: u128, width: u32, index: u32) -> u64 {
    (bits >> (width * index)) as u64 & (u64::MAX >> (64 - width))
}

/// Values as text; a vector in the lane shape of the pattern it was compared
/// with, so that the two can be laid side by side.
pub(crate) fn show(store: &Store<()>, values: &[Val], patterns: &[WastRet<'_>]) -> String {
    let mut text = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let pattern = patterns.get(index);
        text.push(match value {
            Val::I32(value) => format!("(i32.const {value})"),
            Val::I64(value) => format!("(i64.const {value})"),
            Val::F32(bits) => format!("(f32.const {})", Float32(*bits)),
            Val::F64(bits) => format!("(f64.const {})", Float64(*bits)),
            Val::V128(bits) => show_v128(bits.as_u128(), pattern),
            Val::FuncRef(None) => "(ref.null func)".into(),
            Val::FuncRef(Some(_)) => "(ref.func)".into(),
            Val::ExternRef(None) => "(ref.null extern)".into(),
            Val::ExternRef(Some(reference)) => match host_number(store, reference) {
                Some(number) => format!("(ref.extern {number})"),
                None => "(ref.extern)".into(),
            },
            Val::AnyRef(None) => "(ref.null any)".into(),
            Val::AnyRef(Some(_)) => "(ref.any)".into(),
            Val::ExnRef(None) => "(ref.null exn)".into(),
            Val::ExnRef(Some(_)) => "(ref.exn)".into(),
        });
    }
    or_nothing(text)
}

/// Patterns as text.
pub(crate) fn show_patterns(patterns: &[WastRet<'_>]) -> String {
    let show = |pattern: &WastRet<'_>| match pattern {
        WastRet::Core(core) => show_pattern(core),
        WastRet::Component(value) => component::show_pattern(value),
        _ => "another kind of value".into(),
    };
    or_nothing(patterns.iter().map(show).collect())
}

fn or_nothing(texts: Vec<String>) -> String {
    if texts.is_empty() { "no result".into() } else { texts.join(" ") }
}

fn show_pattern(pattern: &WastRetCore<'_>) -> String {
    match pattern {
        WastRetCore::I32(value) => format!("(i32.const {value})"),
        WastRetCore::I64(value) => format!("(i64.const {value})"),
        WastRetCore::F32(value) => format!("(f32.const {})", nan_or(value, |v| Float32(v.bits))),
        WastRetCore::F64(value) => format!("(f64.const {})", nan_or(value, |v| Float64(v.bits))),
        WastRetCore::V128(value) => show_v128_pattern(value),
        WastRetCore::RefNull(None) => "(ref.null)".into(),
        WastRetCore::RefNull(Some(heap)) => format!("(ref.null {})", HeapName(heap)),
        WastRetCore::RefExtern(None) => "(ref.extern)".into(),
        WastRetCore::RefExtern(Some(number)) => format!("(ref.extern {number})"),
        WastRetCore::RefHost(number) => format!("(ref.host {number})"),
        WastRetCore::RefFunc(None) => "(ref.func)".into(),
        WastRetCore::RefFunc(Some(Index::Num(index, _))) => format!("(ref.func {index})"),
        WastRetCore::RefFunc(Some(Index::Id(id))) => format!("(ref.func ${})", id.name()),
        WastRetCore::RefAny => "(ref.any)".into(),
        WastRetCore::RefEq => "(ref.eq)".into(),
        WastRetCore::RefArray => "(ref.array)".into(),
        WastRetCore::RefStruct => "(ref.struct)".into(),
        WastRetCore::RefI31 => "(ref.i31)".into(),
        WastRetCore::RefI31Shared => "(ref.i31_shared)".into(),
        WastRetCore::Either(patterns) => {
            let patterns: Vec<String> = patterns.iter().map(show_pattern).collect();
            format!("(either {})", patterns.join(" "))
        }
    }
}

fn nan_or<T, D: Display>(pattern: &NanPattern<T>, show: impl Fn(&T) -> D) -> String {
    match pattern {
        NanPattern::CanonicalNan => "nan:canonical".into(),
        NanPattern::ArithmeticNan => "nan:arithmetic".into(),
        NanPattern::Value(value) => show(value).to_string(),
    }
}

fn show_v128_pattern(pattern: &V128Pattern) -> String {
    let lanes: Vec<String> = match pattern {
        V128Pattern::I8x16(lanes) => lanes.iter().map(ToString::to_string).collect(),
        V128Pattern::I16x8(lanes) => lanes.iter().map(ToString::to_string).collect(),
        V128Pattern::I32x4(lanes) => lanes.iter().map(ToString::to_string).collect(),
        V128Pattern::I64x2(lanes) => lanes.iter().map(ToString::to_string).collect(),
        V128Pattern::F32x4(lanes) => {
            lanes.iter().map(|one| nan_or(one, |v| Float32(v.bits))).collect()
        }
        V128Pattern::F64x2(lanes) => {
            lanes.iter().map(|one| nan_or(one, |v| Float64(v.bits))).collect()
        }
    };
    format!("(v128.const {} {})", shape(Some(pattern)), lanes.join(" "))
}

fn show_v128(bits: u128, pattern: Option<&WastRet<'_>>) -> String {
    let pattern = match pattern {
        Some(WastRet::Core(core)) => vector_pattern(core),
        _ => None,
    };
    let lanes = |count: u32| (0..count).map(move |index| lane(bits, 128 / count, index));
    let lanes: Vec<String> = match pattern {
        Some(V128Pattern::I8x16(_)) => lanes(16).map(|lane| (lane as i8).to_string()).collect(),
        Some(V128Pattern::I16x8(_)) => lanes(8).map(|lane| (lane as i16).to_string()).collect(),
        Some(V128Pattern::I64x2(_)) => lanes(2).map(|lane| (lane as i64).to_string()).collect(),
        Some(V128Pattern::F32x4(_)) => {
            lanes(4).map(|lane| Float32(lane as u32).to_string()).collect()
        }
        Some(V128Pattern::F64x2(_)) => lanes(2).map(|lane| Float64(lane).to_string()).collect(),
        Some(V128Pattern::I32x4(_)) | None => {
            lanes(4).map(|lane| (lane as i32).to_string()).collect()
        }
    };
    format!("(v128.const {} {})", shape(pattern), lanes.join(" "))
}

/// The vector pattern in `pattern`, the first one of alternatives.
fn vector_pattern<'a>(pattern: &'a WastRetCore<'_>) -> Option<&'a V128Pattern> {
    match pattern {
        WastRetCore::V128(pattern) => Some(pattern),
        WastRetCore::Either(patterns) => patterns.iter().find_map(vector_pattern),
        _ => None,
    }
}

fn shape(pattern: Option<&V128Pattern>) -> &'static str {
    match pattern {
        Some(V128Pattern::I8x16(_)) => "i8x16",
        Some(V128Pattern::I16x8(_)) => "i16x8",
        Some(V128Pattern::I32x4(_)) | None => "i32x4",
        Some(V128Pattern::I64x2(_)) => "i64x2",
        Some(V128Pattern::F32x4(_)) => "f32x4",
        Some(V128Pattern::F64x2(_)) => "f64x2",
    }
}

/// An `f32` so that different bits give different text.
struct Float32(u32);

impl Display for Float32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = f32::from_bits(self.0);
        if !value.is_nan() {
            return write!(f, "{value:?}");
        }
        let sign = if value.is_sign_negative() { "-" } else { "" };
        write!(f, "{sign}nan:0x{:x}", self.0 & 0x7f_ffff)
    }
}

/// An `f64` so that different bits give different text.
struct Float64(u64);

impl Display for Float64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = f64::from_bits(self.0);
        if !value.is_nan() {
            return write!(f, "{value:?}");
        }
        let sign = if value.is_sign_negative() { "-" } else { "" };
        write!(f, "{sign}nan:0x{:x}", self.0 & 0xf_ffff_ffff_ffff)
    }
}

struct HeapName<'a>(&'a HeapType<'a>);

impl Display for HeapName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            HeapType::Abstract { ty, .. } => f.write_str(&format!("{ty:?}").to_ascii_lowercase()),
            HeapType::Concrete(_) | HeapType::Exact(_) => f.write_str("a defined type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_sets_are_those_of_the_specification() {
        let f32 = |bits| {
            (
                f32_matches(&NanPattern::CanonicalNan, bits),
                f32_matches(&NanPattern::ArithmeticNan, bits),
            )
        };
        assert_eq!(f32(0x7fc0_0000), (true, true));
        assert_eq!(f32(0xffc0_0000), (true, true));
        assert_eq!(f32(0x7fc0_0001), (false, true));
        assert_eq!(f32(0x7fa0_0000), (false, false));
        assert_eq!(f32(0x7f80_0000), (false, false));
        let f64 = |bits| {
            (
                f64_matches(&NanPattern::CanonicalNan, bits),
                f64_matches(&NanPattern::ArithmeticNan, bits),
            )
        };
        assert_eq!(f64(0xfff8_0000_0000_0000), (true, true));
        assert_eq!(f64(0x7ff8_0000_0000_0100), (false, true));
        assert_eq!(f64(0x7ff4_0000_0000_0000), (false, false));
    }

    #[test]
    fn every_lane_is_compared() {
        let lanes = [1, 2, 3, 4, 5, 6, 7, -8];
        let bits = u128::from_le_bytes([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0xf8, 0xff]);
        assert!(v128_matches(&V128Pattern::I16x8(lanes), bits));
        for bit in 0..128 {
            assert!(!v128_matches(&V128Pattern::I16x8(lanes), bits ^ 1 << bit), "bit {bit}");
        }
        let nan = 0x7fc0_0001_u128 << 96;
        let value = |bits| NanPattern::Value(F32 { bits });
        let pattern = |last| V128Pattern::F32x4([value(0), value(0), value(0), last]);
        assert!(v128_matches(&pattern(NanPattern::ArithmeticNan), nan));
        assert!(!v128_matches(&pattern(NanPattern::CanonicalNan), nan));
    }

    #[test]
    fn floats_are_shown_without_loss() {
        assert_eq!(Float32(0x8000_0000).to_string(), "-0.0");
        assert_eq!(Float32(0xffc0_0001).to_string(), "-nan:0x400001");
        assert_eq!(Float64(0x7ff8_0000_0000_0000).to_string(), "nan:0x8000000000000");
        assert_eq!(Float64(1.5_f64.to_bits()).to_string(), "1.5");
    }
}
