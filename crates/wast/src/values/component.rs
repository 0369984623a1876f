//! Component values of scripts: arguments given, results expected, and both as text.
//!
//! To components there is one NaN, so that one NaN is as good as another when a script
//! writes its bits; `nan:canonical` and `nan:arithmetic` compare the bits that came.
//! Lists of fixed length are written as lists.

use super::{Float32, Float64, f32_matches, f64_matches, or_nothing};
use wast::component::WastVal;
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};
use zwasm_component::{Type, Val};

/// The value that an argument denotes for a parameter of type `ty`.
///
/// # Errors
/// When it is no component value.
pub(crate) fn argument(argument: &WastArg<'_>, ty: &Type) -> Result<Val, String> {
    match argument {
        WastArg::Component(value) => Ok(val(value, Some(ty))),
        // The text of numbers with a point is the same for both.
        WastArg::Core(WastArgCore::F32(value)) => Ok(Val::Float32(f32::from_bits(value.bits))),
        WastArg::Core(WastArgCore::F64(value)) => Ok(Val::Float64(f64::from_bits(value.bits))),
        _ => Err("a core value cannot be given to a component".into()),
    }
}

/// A value, as lists if it is one, unless `ty` says that it is a list of fixed length.
fn val(value: &WastVal<'_>, ty: Option<&Type>) -> Val {
    let boxed = |payload: &Option<Box<WastVal<'_>>>, ty: Option<Type>| {
        payload.as_ref().map(|payload| Box::new(val(payload, ty.as_ref())))
    };
    match value {
        WastVal::Bool(value) => Val::Bool(*value),
        WastVal::U8(value) => Val::U8(*value),
        WastVal::S8(value) => Val::S8(*value),
        WastVal::U16(value) => Val::U16(*value),
        WastVal::S16(value) => Val::S16(*value),
        WastVal::U32(value) => Val::U32(*value),
        WastVal::S32(value) => Val::S32(*value),
        WastVal::U64(value) => Val::U64(*value),
        WastVal::S64(value) => Val::S64(*value),
        WastVal::F32(value) => Val::Float32(f32::from_bits(value.bits)),
        WastVal::F64(value) => Val::Float64(f64::from_bits(value.bits)),
        WastVal::Char(value) => Val::Char(*value),
        WastVal::String(value) => Val::String((*value).into()),
        WastVal::List(values) => match ty {
            Some(Type::FixedLengthList(list)) => {
                let element = list.ty();
                Val::FixedLengthList(values.iter().map(|one| val(one, Some(&element))).collect())
            }
            Some(Type::List(list)) => {
                let element = list.ty();
                Val::List(values.iter().map(|one| val(one, Some(&element))).collect())
            }
            _ => Val::List(values.iter().map(|one| val(one, None)).collect()),
        },
        WastVal::Map(entries) => {
            let (keys, values) = match ty {
                Some(Type::Map(map)) => (Some(map.key()), Some(map.value())),
                _ => (None, None),
            };
            let entry = |(key, value): &(WastVal<'_>, WastVal<'_>)| {
                (val(key, keys.as_ref()), val(value, values.as_ref()))
            };
            Val::Map(entries.iter().map(entry).collect())
        }
        WastVal::Record(fields) => {
            let types: Vec<Type> = match ty {
                Some(Type::Record(record)) => record.fields().map(|field| field.ty).collect(),
                _ => Vec::new(),
            };
            let fields = fields.iter().enumerate();
            Val::Record(
                fields.map(|(at, (name, one))| ((*name).into(), val(one, types.get(at)))).collect(),
            )
        }
        WastVal::Tuple(values) => {
            let types: Vec<Type> = match ty {
                Some(Type::Tuple(tuple)) => tuple.types().collect(),
                _ => Vec::new(),
            };
            Val::Tuple(values.iter().enumerate().map(|(at, one)| val(one, types.get(at))).collect())
        }
        WastVal::Variant(case, payload) => {
            let ty = match ty {
                Some(Type::Variant(variant)) => {
                    variant.cases().find(|one| one.name == *case).and_then(|one| one.ty)
                }
                _ => None,
            };
            Val::Variant((*case).into(), boxed(payload, ty))
        }
        WastVal::Enum(case) => Val::Enum((*case).into()),
        WastVal::Option(payload) => {
            let ty = match ty {
                Some(Type::Option(option)) => Some(option.ty()),
                _ => None,
            };
            Val::Option(boxed(payload, ty))
        }
        WastVal::Result(result) => {
            let (ok, err) = match ty {
                Some(Type::Result(result)) => (result.ok(), result.err()),
                _ => (None, None),
            };
            Val::Result(match result {
                Ok(payload) => Ok(boxed(payload, ok)),
                Err(payload) => Err(boxed(payload, err)),
            })
        }
        WastVal::Flags(names) => Val::Flags(names.iter().map(|&name| name.into()).collect()),
    }
}

/// Whether each value is one that its pattern allows.
pub(crate) fn all_match(values: &[Val], patterns: &[WastRet<'_>]) -> bool {
    values.len() == patterns.len()
        && values.iter().zip(patterns).all(|(value, pattern)| match pattern {
            WastRet::Component(pattern) => matches(value, pattern),
            WastRet::Core(pattern) => number_matches(value, pattern),
            _ => false,
        })
}

/// Whether a value is a number with a point that a script writes as it does core values.
fn number_matches(value: &Val, pattern: &WastRetCore<'_>) -> bool {
    match (pattern, value) {
        (WastRetCore::F32(NanPattern::Value(expected)), Val::Float32(got)) => {
            same32(expected.bits, *got)
        }
        (WastRetCore::F64(NanPattern::Value(expected)), Val::Float64(got)) => {
            same64(expected.bits, *got)
        }
        (WastRetCore::F32(pattern), Val::Float32(got)) => f32_matches(pattern, got.to_bits()),
        (WastRetCore::F64(pattern), Val::Float64(got)) => f64_matches(pattern, got.to_bits()),
        (WastRetCore::Either(patterns), _) => {
            patterns.iter().any(|pattern| number_matches(value, pattern))
        }
        _ => false,
    }
}

fn same32(expected: u32, got: f32) -> bool {
    expected == got.to_bits() || (f32::from_bits(expected).is_nan() && got.is_nan())
}

fn same64(expected: u64, got: f64) -> bool {
    expected == got.to_bits() || (f64::from_bits(expected).is_nan() && got.is_nan())
}

fn matches(value: &Val, pattern: &WastVal<'_>) -> bool {
    let all = |patterns: &[WastVal<'_>], values: &[Val]| {
        patterns.len() == values.len()
            && patterns.iter().zip(values).all(|(pattern, value)| matches(value, pattern))
    };
    let payload =
        |pattern: &Option<Box<WastVal<'_>>>, value: &Option<Box<Val>>| match (pattern, value) {
            (None, None) => true,
            (Some(pattern), Some(value)) => matches(value, pattern),
            (Some(_), None) | (None, Some(_)) => false,
        };
    match (pattern, value) {
        (WastVal::Bool(expected), Val::Bool(got)) => expected == got,
        (WastVal::U8(expected), Val::U8(got)) => expected == got,
        (WastVal::S8(expected), Val::S8(got)) => expected == got,
        (WastVal::U16(expected), Val::U16(got)) => expected == got,
        (WastVal::S16(expected), Val::S16(got)) => expected == got,
        (WastVal::U32(expected), Val::U32(got)) => expected == got,
        (WastVal::S32(expected), Val::S32(got)) => expected == got,
        (WastVal::U64(expected), Val::U64(got)) => expected == got,
        (WastVal::S64(expected), Val::S64(got)) => expected == got,
        (WastVal::F32(expected), Val::Float32(got)) => same32(expected.bits, *got),
        (WastVal::F64(expected), Val::Float64(got)) => same64(expected.bits, *got),
        (WastVal::Char(expected), Val::Char(got)) => expected == got,
        (WastVal::String(expected), Val::String(got)) => expected == got,
        (WastVal::List(expected), Val::List(got) | Val::FixedLengthList(got)) => all(expected, got),
        (WastVal::Map(expected), Val::Map(got)) => {
            expected.len() == got.len()
                && expected.iter().zip(got).all(|((key, pattern), (got, value))| {
                    matches(got, key) && matches(value, pattern)
                })
        }
        (WastVal::Record(expected), Val::Record(got)) => {
            expected.len() == got.len()
                && expected
                    .iter()
                    .zip(got)
                    .all(|((name, pattern), (got, value))| name == got && matches(value, pattern))
        }
        (WastVal::Tuple(expected), Val::Tuple(got)) => all(expected, got),
        (WastVal::Variant(case, expected), Val::Variant(got, value)) => {
            case == got && payload(expected, value)
        }
        (WastVal::Enum(expected), Val::Enum(got)) => expected == got,
        (WastVal::Option(expected), Val::Option(got)) => payload(expected, got),
        (WastVal::Result(Ok(expected)), Val::Result(Ok(got)))
        | (WastVal::Result(Err(expected)), Val::Result(Err(got))) => payload(expected, got),
        (WastVal::Flags(expected), Val::Flags(got)) => {
            let mut expected: Vec<&str> = expected.clone();
            let mut got: Vec<&str> = got.iter().map(String::as_str).collect();
            expected.sort_unstable();
            got.sort_unstable();
            expected == got
        }
        _ => false,
    }
}

/// Values as text, in the syntax of scripts.
pub(crate) fn show(values: &[Val]) -> String {
    or_nothing(values.iter().map(|value| format!("({})", show_one(value))).collect())
}

fn show_one(value: &Val) -> String {
    let all = |kind: &str, values: &[Val]| {
        values.iter().fold(kind.to_string(), |text, one| format!("{text} ({})", show_one(one)))
    };
    let payload = |head: String, value: &Option<Box<Val>>| match value {
        Some(value) => format!("{head} ({})", show_one(value)),
        None => head,
    };
    match value {
        Val::Bool(value) => format!("bool.const {value}"),
        Val::S8(value) => format!("s8.const {value}"),
        Val::U8(value) => format!("u8.const {value}"),
        Val::S16(value) => format!("s16.const {value}"),
        Val::U16(value) => format!("u16.const {value}"),
        Val::S32(value) => format!("s32.const {value}"),
        Val::U32(value) => format!("u32.const {value}"),
        Val::S64(value) => format!("s64.const {value}"),
        Val::U64(value) => format!("u64.const {value}"),
        Val::Float32(value) => format!("f32.const {}", Float32(value.to_bits())),
        Val::Float64(value) => format!("f64.const {}", Float64(value.to_bits())),
        Val::Char(value) => format!("char.const {:?}", value.to_string()),
        Val::String(value) => format!("str.const {value:?}"),
        Val::List(values) | Val::FixedLengthList(values) => all("list.const", values),
        Val::Map(entries) => entries.iter().fold("map.const".into(), |text, (key, value)| {
            format!("{text} (entry ({}) ({}))", show_one(key), show_one(value))
        }),
        Val::Record(fields) => fields.iter().fold("record.const".into(), |text, (name, value)| {
            format!("{text} (field {name:?} {})", show_one(value))
        }),
        Val::Tuple(values) => all("tuple.const", values),
        Val::Variant(case, value) => payload(format!("variant.const {case:?}"), value),
        Val::Enum(case) => format!("enum.const {case:?}"),
        Val::Option(None) => "option.none".into(),
        Val::Option(value) => payload("option.some".into(), value),
        Val::Result(Ok(value)) => payload("result.ok".into(), value),
        Val::Result(Err(value)) => payload("result.err".into(), value),
        Val::Flags(names) => {
            names.iter().fold("flags.const".into(), |text, name| format!("{text} {name:?}"))
        }
        Val::Stream(_) => "stream".into(),
        Val::Future(_) => "future".into(),
        Val::ErrorContext(text) => format!("error-context {text:?}"),
        Val::Resource(handle) => match handle.owned() {
            true => "an owned resource".into(),
            false => "a borrowed resource".into(),
        },
    }
}

/// A pattern as text.
pub(crate) fn show_pattern(pattern: &WastVal<'_>) -> String {
    format!("({})", show_one(&val(pattern, None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses `text`, an `assert_return`, and gives the first argument and the results.
    fn with<T>(text: &str, then: impl FnOnce(&[WastArg<'_>], &[WastRet<'_>]) -> T) -> T {
        let buffer = wast::parser::ParseBuffer::new(text).unwrap();
        let script = wast::parser::parse::<wast::Wast<'_>>(&buffer).unwrap();
        match &script.directives[..] {
            [
                wast::WastDirective::AssertReturn {
                    exec: wast::WastExecute::Invoke(invoke),
                    results,
                    ..
                },
            ] => then(&invoke.args, results),
            _ => panic!("{text}"),
        }
    }

    /// Every kind of value, each with one that differs from it a little.
    const VALUES: &[(&str, &str)] = &[
        ("bool.const true", "bool.const false"),
        ("u8.const 255", "u16.const 255"),
        ("s8.const -1", "u8.const 255"),
        ("u16.const 65535", "u16.const 65534"),
        ("s16.const -2", "s16.const -1"),
        ("u32.const 7", "s32.const 7"),
        ("s32.const -7", "s32.const 7"),
        ("u64.const 18446744073709551615", "u64.const 0"),
        ("s64.const -1", "s64.const 0"),
        ("char.const \"x\"", "str.const \"x\""),
        ("str.const \"\\n\\u{1f600}\"", "str.const \"\""),
        ("list.const (u8.const 1) (u8.const 2)", "list.const (u8.const 1)"),
        ("list.const (f32.const -0.0)", "list.const (f32.const 0.0)"),
        ("map.const (entry (u8.const 1) (u8.const 2))", "map.const"),
        ("record.const (field \"a\" u8.const 1)", "record.const (field \"b\" u8.const 1)"),
        ("tuple.const (u8.const 1)", "tuple.const (u8.const 1) (u8.const 1)"),
        ("variant.const \"a\" (u8.const 1)", "variant.const \"a\""),
        ("enum.const \"a\"", "variant.const \"a\""),
        ("option.some (option.none)", "option.none"),
        ("result.ok (u8.const 1)", "result.err (u8.const 1)"),
        ("result.err", "result.ok"),
        ("flags.const \"a\" \"b\"", "flags.const \"a\""),
    ];

    #[test]
    fn values_match_themselves_and_nothing_else() {
        for (one, other) in VALUES {
            let text = format!("(assert_return (invoke \"f\") ({one}) ({other}))");
            with(&text, |_, results| {
                let WastRet::Component(pattern) = &results[0] else { panic!("{text}") };
                let value = val(pattern, None);
                assert!(matches(&value, pattern), "{one}");
                assert!(!all_match(std::slice::from_ref(&value), &results[1..]), "{text}");
                // What is shown is what a script would write.
                let shown = format!("(assert_return (invoke \"f\") {})", show_pattern(pattern));
                with(&shown, |_, results| assert!(all_match(&[value], results), "{shown}"));
            });
        }
    }

    #[test]
    fn flags_have_no_order() {
        with("(assert_return (invoke \"f\") (flags.const \"a\" \"b\"))", |_, results| {
            assert!(all_match(&[Val::Flags(vec!["b".into(), "a".into()])], results));
        });
    }

    #[test]
    fn nan_patterns_look_at_the_bits() {
        let holds = |pattern: &str, bits| {
            let text = format!("(assert_return (invoke \"f\") ({pattern}))");
            with(&text, |_, results| all_match(&[Val::Float32(f32::from_bits(bits))], results))
        };
        assert!(holds("f32.const nan:canonical", 0x7fc0_0000));
        assert!(!holds("f32.const nan:canonical", 0x7fc0_0001));
        assert!(holds("f32.const nan:arithmetic", 0x7fc0_0001));
        assert!(!holds("f32.const nan:arithmetic", 0x7f80_0001));
        assert!(holds("f32.const nan", 0x7f80_0001));
        assert!(holds("f32.const -0.0", 0x8000_0000));
        assert!(!holds("f32.const 0.0", 0x8000_0000));
    }

    #[test]
    fn numbers_with_a_point_are_arguments_too() {
        with("(assert_return (invoke \"f\" (f64.const 1.5) (i32.const 1)))", |arguments, _| {
            assert_eq!(argument(&arguments[0], &Type::Float64), Ok(Val::Float64(1.5)));
            assert!(argument(&arguments[1], &Type::S32).is_err());
        });
    }
}
