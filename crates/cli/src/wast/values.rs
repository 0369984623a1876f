//! Constants of scripts: arguments that are given, and results that are expected.
//!
//! Numbers are compared by their bits, but for `nan:canonical` and `nan:arithmetic`, which
//! stand for sets of them, in every lane of a vector.

use zwasm::{ExternRef, HeapType, Rooted, Store, Val};

use super::reader::Reader;
use crate::number::{self, Wrong};

/// The formats of floats: the bits in all and those of the fraction.
const SINGLE: (u32, u32) = (32, 23);
const DOUBLE: (u32, u32) = (64, 52);

/// Takes a constant.
///
/// # Errors
/// What is wrong with it.
pub fn argument(store: &mut Store<()>, reader: &mut Reader<'_>) -> Result<Val, String> {
    reader.open()?;
    let keyword = reader.expect_word()?;
    let value = match keyword {
        "i32.const" => Val::I32(number(reader, |word| number::integer(word, 32))? as i32),
        "i64.const" => Val::I64(number(reader, |word| number::integer(word, 64))? as i64),
        "f32.const" => Val::F32(number(reader, number::f32)?),
        "f64.const" => Val::F64(number(reader, number::f64)?),
        "v128.const" => {
            let lanes = Lanes::take(reader)?;
            let mut bits = 0;
            for lane in 0..lanes.count {
                let word = reader.expect_word()?;
                bits |= lanes.bits(word)? << (lane * lanes.width);
            }
            Val::V128(bits.into())
        }
        "ref.null" => Val::null_ref(&heap_type(reader.expect_word()?)?),
        "ref.extern" => Val::ExternRef(Some(host(store, reader)?)),
        "ref.host" => Val::AnyRef(Some(host(store, reader)?.to_any())),
        _ => return Err(format!("'{keyword}' is no constant")),
    };
    reader.close()?;
    Ok(value)
}

fn number<T>(
    reader: &mut Reader<'_>,
    read: impl FnOnce(&str) -> Result<T, Wrong>,
) -> Result<T, String> {
    let word = reader.expect_word()?;
    read(word).map_err(|_| format!("'{word}' is no such number"))
}

fn host(store: &mut Store<()>, reader: &mut Reader<'_>) -> Result<Rooted<ExternRef>, String> {
    let number = number(reader, |word| number::integer(word, 32))?;
    ExternRef::new(store, number as u32).map_err(|error| error.summary())
}

fn heap_type(name: &str) -> Result<HeapType, String> {
    Ok(match name {
        "func" => HeapType::Func,
        "nofunc" => HeapType::NoFunc,
        "extern" => HeapType::Extern,
        "noextern" => HeapType::NoExtern,
        "exn" => HeapType::Exn,
        "noexn" => HeapType::NoExn,
        "any" => HeapType::Any,
        "eq" => HeapType::Eq,
        "i31" => HeapType::I31,
        "struct" => HeapType::Struct,
        "array" => HeapType::Array,
        "none" => HeapType::None,
        _ => return Err(format!("no null of '{name}' can be written here")),
    })
}

/// How a vector is written.
struct Lanes {
    count: u32,
    width: u32,
    is_float: bool,
}

impl Lanes {
    fn take(reader: &mut Reader<'_>) -> Result<Lanes, String> {
        let shape = reader.expect_word()?;
        let (width, is_float) = match shape {
            "i8x16" => (8, false),
            "i16x8" => (16, false),
            "i32x4" => (32, false),
            "i64x2" => (64, false),
            "f32x4" => (32, true),
            "f64x2" => (64, true),
            _ => return Err(format!("'{shape}' is no shape of a vector")),
        };
        Ok(Lanes { count: 128 / width, width, is_float })
    }

    fn bits(&self, word: &str) -> Result<u128, String> {
        let bits = match (self.is_float, self.width) {
            (true, 32) => number::f32(word).map(u128::from),
            (true, _) => number::f64(word).map(u128::from),
            (false, width) => number::integer(word, width),
        };
        bits.map_err(|_| format!("'{word}' is no such number"))
    }
}

/// Takes an expected result; whether the value is one of what it allows.
///
/// # Errors
/// What is wrong with it.
pub fn matches(
    store: &mut Store<()>,
    reader: &mut Reader<'_>,
    value: &Val,
) -> Result<bool, String> {
    let mut inside = reader.clone();
    inside.open()?;
    if inside.word()? != Some("either") {
        return is_one(store, reader, value);
    }
    let mut any = false;
    while inside.peek()? == Some(b'(') {
        any |= is_one(store, &mut inside, value)?;
    }
    inside.close()?;
    *reader = inside;
    Ok(any)
}

/// The same of a result that is no choice.
fn is_one(store: &mut Store<()>, reader: &mut Reader<'_>, value: &Val) -> Result<bool, String> {
    reader.open()?;
    let keyword = reader.expect_word()?;
    let is = match keyword {
        "i32.const" => {
            let bits = number(reader, |word| number::integer(word, 32))?;
            value.i32() == Some(bits as i32)
        }
        "i64.const" => {
            let bits = number(reader, |word| number::integer(word, 64))?;
            value.i64() == Some(bits as i64)
        }
        "f32.const" => {
            let word = reader.expect_word()?;
            let bits = value.f32().map(|value| u64::from(value.to_bits()));
            is_float(word, bits, SINGLE)?
        }
        "f64.const" => {
            let word = reader.expect_word()?;
            is_float(word, value.f64().map(f64::to_bits), DOUBLE)?
        }
        "v128.const" => is_vector(reader, value)?,
        "ref.null" => {
            let null = value.ref_().is_some_and(|reference| reference.is_null());
            match reader.word()? {
                Some(name) => {
                    let wanted = Val::null_ref(&heap_type(name)?);
                    null && std::mem::discriminant(&wanted) == std::mem::discriminant(value)
                }
                None => null,
            }
        }
        "ref.extern" | "ref.host" => {
            let found = match (keyword, value) {
                ("ref.extern", Val::ExternRef(Some(found))) => Some(*found),
                ("ref.host", Val::AnyRef(Some(found))) => Some(found.to_extern()),
                _ => None,
            };
            let wanted = reader.word()?.map(|word| number::integer(word, 32));
            found.is_some_and(|found| match wanted {
                None => true,
                Some(wanted) => host_number(store, &found).map(u128::from) == wanted.ok(),
            })
        }
        _ => {
            let is = is_reference(store, keyword, value)?;
            // A function may be named, by a number that means nothing here.
            reader.word()?;
            is
        }
    };
    reader.close()?;
    Ok(is)
}

/// The number of the host's value that a reference is to.
fn host_number(store: &Store<()>, reference: &ExternRef) -> Option<u32> {
    reference.data(store).ok().flatten()?.downcast_ref().copied()
}

fn is_reference(store: &Store<()>, keyword: &str, value: &Val) -> Result<bool, String> {
    let internal = match value {
        Val::AnyRef(Some(reference)) => Some(reference),
        _ => None,
    };
    Ok(match keyword {
        "ref.func" => matches!(value, Val::FuncRef(Some(_))),
        "ref.exn" => matches!(value, Val::ExnRef(Some(_))),
        "ref.any" => internal.is_some(),
        "ref.eq" => internal.is_some_and(|any| any.is_eqref(store).unwrap_or(false)),
        "ref.i31" => internal.is_some_and(|any| any.is_i31(store).unwrap_or(false)),
        "ref.struct" => internal.is_some_and(|any| any.is_struct(store).unwrap_or(false)),
        "ref.array" => internal.is_some_and(|any| any.is_array(store).unwrap_or(false)),
        _ => return Err(format!("'{keyword}' is no result")),
    })
}

/// Whether bits are a float that a word allows.
fn is_float(word: &str, bits: Option<u64>, format: (u32, u32)) -> Result<bool, String> {
    let (width, fraction) = format;
    // Exponent and the highest bit of the fraction.
    let quiet = (u64::MAX << (fraction - 1)) & (u64::MAX >> (65 - width));
    let Some(bits) = bits else { return Ok(false) };
    let magnitude = bits & (u64::MAX >> (65 - width));
    Ok(match word.strip_prefix('-').unwrap_or(word) {
        "nan:canonical" => magnitude == quiet,
        "nan:arithmetic" => magnitude & quiet == quiet,
        _ => {
            let wanted = match width {
                32 => number::f32(word).map(u64::from),
                _ => number::f64(word),
            };
            wanted.map_err(|_| format!("'{word}' is no such number"))? == bits
        }
    })
}

fn is_vector(reader: &mut Reader<'_>, value: &Val) -> Result<bool, String> {
    let lanes = Lanes::take(reader)?;
    let vector = value.v128().map(|vector| vector.as_u128());
    let mut all = vector.is_some();
    for lane in 0..lanes.count {
        let word = reader.expect_word()?;
        let got = vector.unwrap_or(0) >> (lane * lanes.width) & (u128::MAX >> (128 - lanes.width));
        all &= match (lanes.is_float, lanes.width) {
            (true, 32) => is_float(word, Some(got as u64), SINGLE)?,
            (true, _) => is_float(word, Some(got as u64), DOUBLE)?,
            (false, _) => lanes.bits(word)? == got,
        };
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(argument_text: &str, pattern: &str) -> bool {
        let mut store = Store::default();
        let value = argument(&mut store, &mut Reader::new(argument_text)).expect(argument_text);
        matches(&mut store, &mut Reader::new(pattern), &value).expect(pattern)
    }

    #[test]
    fn numbers_are_compared_by_their_bits() {
        for constant in [
            "(i32.const -1)",
            "(i64.const 0x8000000000000000)",
            "(f32.const -0)",
            "(f64.const nan:0x4)",
            "(v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 -1)",
            "(v128.const f64x2 1.5 -inf)",
            "(ref.null extern)",
            "(ref.extern 7)",
            "(ref.host 3)",
        ] {
            assert!(same(constant, constant), "{constant}");
        }
        assert!(same("(i32.const -1)", "(i32.const 0xffffffff)"));
        for (value, other) in [
            ("(i32.const 1)", "(i64.const 1)"),
            ("(f32.const 0)", "(f32.const -0)"),
            ("(f64.const nan)", "(f64.const nan:0x1)"),
            ("(v128.const i64x2 1 2)", "(v128.const i64x2 1 3)"),
            ("(ref.null extern)", "(ref.null func)"),
            ("(ref.extern 1)", "(ref.extern 2)"),
            ("(ref.null any)", "(ref.any)"),
            ("(ref.host 1)", "(ref.i31)"),
        ] {
            assert!(!same(value, other), "{value} {other}");
        }
    }

    #[test]
    fn patterns_allow_several() {
        for (value, pattern) in [
            ("(f32.const nan)", "(f32.const nan:canonical)"),
            ("(f32.const -nan)", "(f32.const nan:canonical)"),
            ("(f64.const nan:0x8000000000001)", "(f64.const nan:arithmetic)"),
            (
                "(v128.const f32x4 nan 1 2 -nan)",
                "(v128.const f32x4 nan:canonical 1 2 nan:arithmetic)",
            ),
            ("(i32.const 2)", "(either (i32.const 1) (i32.const 2))"),
            ("(ref.null any)", "(ref.null)"),
            ("(ref.extern 5)", "(ref.extern)"),
            ("(ref.host 5)", "(ref.any)"),
        ] {
            assert!(same(value, pattern), "{value} {pattern}");
        }
        for (value, pattern) in [
            ("(f32.const nan:0x200000)", "(f32.const nan:arithmetic)"),
            ("(f32.const nan:0x400001)", "(f32.const nan:canonical)"),
            ("(f32.const inf)", "(f32.const nan:arithmetic)"),
            ("(f64.const 1)", "(f64.const nan:arithmetic)"),
            ("(i32.const 3)", "(either (i32.const 1) (i32.const 2))"),
        ] {
            assert!(!same(value, pattern), "{value} {pattern}");
        }
    }

    #[test]
    fn what_is_no_constant_is_an_error() {
        let mut store = Store::default();
        for text in ["(i32.const x)", "(i32.add)", "(v128.const i1x128 0)", "(ref.null what)", "x"]
        {
            assert!(argument(&mut store, &mut Reader::new(text)).is_err(), "{text}");
        }
    }
}
