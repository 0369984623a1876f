//! Texts of every type, both ways, and what is wrong with others.

use std::sync::Arc;

use super::*;
use crate::types::{ComponentFunc, Defined, FuncType, InterfaceType, InterfaceType as T, Types};
use crate::{ResourceType, Type, Val};

/// A table of types being made.
#[derive(Default)]
struct Table(Types);

impl Table {
    fn add(&mut self, ty: Defined) -> T {
        T::Defined(self.0.intern(ty))
    }

    fn option(&mut self, ty: T) -> T {
        self.add(Defined::Option(ty))
    }

    fn record(&mut self, fields: &[(&str, T)]) -> T {
        self.add(Defined::Record(fields.iter().map(|(name, ty)| ((*name).into(), *ty)).collect()))
    }

    fn names(names: &[&str]) -> Box<[Box<str>]> {
        names.iter().map(|name| (*name).into()).collect()
    }
}

/// The type that a function makes in a table.
fn make(make: impl FnOnce(&mut Table) -> T) -> Type {
    let mut table = Table::default();
    let ty = make(&mut table);
    Type::new(&Arc::new(table.0), &[ResourceType::host_dynamic(1)].into(), ty)
}

fn plain(ty: T) -> Type {
    make(|_| ty)
}

#[track_caller]
fn both(ty: &Type, text: &str) {
    same(ty, text, text);
}

/// Reads a text and writes it otherwise; what is written is read as the same value.
#[track_caller]
fn same(ty: &Type, text: &str, written: &str) {
    let value = read(ty, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(write(&value).unwrap(), written, "{text}");
    assert_eq!(read(ty, written).unwrap(), value, "{text}");
}

#[track_caller]
fn wrong(ty: &Type, text: &str, message: &str) {
    match read(ty, text) {
        Ok(value) => panic!("{text} is {value:?}"),
        Err(error) => assert_eq!(error.to_string(), message, "{text}"),
    }
}

#[test]
fn bools_and_integers() {
    both(&plain(T::Bool), "true");
    both(&plain(T::Bool), "false");
    wrong(&plain(T::Bool), "1", "1:1: expected true or false, got '1'");
    wrong(&plain(T::Bool), "True", "1:1: expected true or false, got 'True'");
    for (ty, min, max) in [
        (T::S8, "-128", "127"),
        (T::U8, "0", "255"),
        (T::S16, "-32768", "32767"),
        (T::U16, "0", "65535"),
        (T::S32, "-2147483648", "2147483647"),
        (T::U32, "0", "4294967295"),
        (T::S64, "-9223372036854775808", "9223372036854775807"),
        (T::U64, "0", "18446744073709551615"),
    ] {
        let ty = plain(ty);
        both(&ty, min);
        both(&ty, max);
        same(&ty, "-0", "0");
        same(&ty, " // seven\n\t7\r\n", "7");
        let more = format!("{}0", max);
        let message = format!("1:1: {more} is out of range for {ty}: {min} to {max}");
        wrong(&ty, &more, &message);
        for text in ["1.0", "1e2", "-inf"] {
            wrong(&ty, text, &format!("1:1: expected a {ty}, got '{text}'"));
        }
        wrong(&ty, "x", &format!("1:1: expected a {ty}, got 'x'"));
        wrong(&ty, "", &format!("1:1: expected a {ty}, got the end"));
    }
    let u32 = plain(T::U32);
    wrong(&u32, "-1", "1:1: -1 is out of range for u32: 0 to 4294967295");
    wrong(&u32, "007", "1:1: a number does not begin with zeros");
    wrong(&u32, "1x", "1:2: a number in decimals ends before this");
    wrong(&u32, "0x10", "1:2: a number in decimals ends before this");
    wrong(&u32, "1 2", "1:3: expected nothing more, got '2'");
    wrong(&u32, "- 1", "1:1: a '-' without a number");
    wrong(&u32, "é", "1:1: unexpected character 'é'");
    let nines = "9".repeat(1000);
    assert!(read(&u32, &nines).unwrap_err().message().contains("out of range"));
}

#[test]
fn floats() {
    for ty in [T::F32, T::F64] {
        let ty = plain(ty);
        for text in ["0", "-0", "1.5", "-3.25", "inf", "-inf", "nan"] {
            both(&ty, text);
        }
        same(&ty, "0.0e0", "0");
        same(&ty, "1E+2", "100");
        same(&ty, "-0.0e-0", "-0");
        same(&ty, "25e-1", "2.5");
        same(&ty, "1e400", "inf");
        for text in ["NaN", "Infinity", "Inf"] {
            wrong(&ty, text, &format!("1:1: expected an {ty}, got '{text}'"));
        }
        wrong(&ty, "-nan", "1:1: a '-' without a number");
        wrong(&ty, "infinity", &format!("1:1: expected an {ty}, got 'infinity'"));
        wrong(&ty, "INF", &format!("1:1: expected an {ty}, got 'INF'"));
        wrong(&ty, ".5", "1:1: unexpected character '.'");
        wrong(&ty, "1.", "1:2: expected digits after the '.'");
        wrong(&ty, "1e", "1:2: expected digits in the exponent");
        wrong(&ty, "-infinite", "1:5: expected nothing more, got 'inite'");
    }
    same(&plain(T::F32), "3.4028234664e38", "340282350000000000000000000000000000000");
    same(&plain(T::F32), "3.4028234664e39", "inf");
    same(&plain(T::F32), "1.1", "1.1");
    same(&plain(T::F32), "1.4012984643e-46", "0");
    both(&plain(T::F64), "0.3333333333333333");
    assert_eq!(write(&Val::Float32(-f32::NAN)).unwrap(), "nan");
}

#[test]
fn chars() {
    let ty = plain(T::Char);
    for text in ["'x'", "'☃'", r"'\''", r#"'\"'"#, r"'\\'", r"'\t'", r"'\n'", r"'\r'", "'🦀'"] {
        both(&ty, text);
    }
    both(&ty, r"'\u{0}'");
    both(&ty, r"'\u{301}'");
    same(&ty, r"'\u{000078}'", "'x'");
    same(&ty, r"'\u{1F980}'", "'🦀'");
    same(&ty, "'\"'", r#"'\"'"#);
    for (text, message) in [
        ("''", "1:1: expected one character, got ''''"),
        ("'ab'", "1:1: expected one character, got ''ab''"),
        (r"'\n\n'", r"1:1: expected one character, got ''\n\n''"),
        (r"'\z'", "1:2: unknown escape: there are \\\\ \\' \\\" \\t \\n \\r \\u{...}"),
        (r"'\u1f'", r"1:2: expected '\u{...}'"),
        (r"'\u{1f'", r"1:2: expected '\u{...}'"),
        (r"'\u{}'", r"1:2: expected one to six hexadecimal digits in '\u{...}'"),
        (r"'\u{+1}'", r"1:2: expected one to six hexadecimal digits in '\u{...}'"),
        (r"'\u{1234567}'", r"1:2: expected one to six hexadecimal digits in '\u{...}'"),
        (r"'\u{110000}'", "1:2: there is no character of this number"),
        (r"'\u{D800}'", "1:2: there is no character of this number"),
        ("'", "1:1: no ' ends what this begins"),
        ("'x", "1:1: no ' ends what this begins"),
        (r"'\'", "1:1: no ' ends what this begins"),
        ("'\n'", "1:1: no ' ends what this begins"),
        ("'''", "1:1: expected one character, got ''''"),
        ("\"x\"", "1:1: expected a char: 'x', got '\"x\"'"),
    ] {
        wrong(&ty, text, message);
    }
}

#[test]
fn strings() {
    let ty = plain(T::String);
    both(&ty, r#""""#);
    both(&ty, r#""WAVE🌊""#);
    both(&ty, r#""\\\'\"\t\n\r""#);
    same(&ty, "\"☃\\u{2603}\\u{002603}'\"", "\"☃☃☃\\'\"");
    both(&ty, "\"\\u{1b}[0m\"");
    wrong(&ty, "\"", "1:1: no \" ends what this begins");
    wrong(&ty, "\"a\nb\"", "1:1: no \" ends what this begins");
    wrong(&ty, r#""\""#, "1:1: no \" ends what this begins");
    wrong(&ty, r#""é\x""#, "1:3: unknown escape: there are \\\\ \\' \\\" \\t \\n \\r \\u{...}");
    wrong(&ty, r#""\u{d800}""#, "1:2: there is no character of this number");
    wrong(&ty, "x", "1:1: expected a string: \"...\", got 'x'");
}

#[test]
fn strings_of_several_lines() {
    let ty = plain(T::String);
    same(&ty, "\"\"\"\n\"\"\"", "\"\"");
    same(&ty, "\"\"\"\nA single line\n\"\"\"", "\"A single line\"");
    let text = "\"\"\"\n    Trailing indent\n  determines dedent\n      behavior.\n  \"\"\"";
    same(&ty, text, r#""  Trailing indent\ndetermines dedent\n    behavior.""#);
    same(&ty, "\"\"\"\n\nboth\n\n\"\"\"", r#""\nboth\n""#);
    same(&ty, "\"\"\"\r\n  a\r\n  b\\r\r\n  \"\"\"", r#""a\nb\r""#);
    same(&ty, "\"\"\"\nq: \"\"\\\"\"\\u{2603}\n\"\"\"", r#""q: \"\"\"\"☃""#);
    for (text, message) in [
        ("\"\"\"\"\"\"", "1:4: a line has to end after \"\"\""),
        ("\"\"\"x\n\"\"\"", "1:4: a line has to end after \"\"\""),
        ("\"\"\"\nx\"\"\"", "2:1: expected nothing but spaces before \"\"\""),
        ("\"\"\"\na\nx\"\"\"", "3:1: expected nothing but spaces before \"\"\""),
        (
            "\"\"\"\n  a\n b\n  \"\"\"",
            "3:1: expected the line to be indented as much as the last one",
        ),
        (
            "\"\"\"\nab\\j\n\"\"\"",
            "2:3: unknown escape: there are \\\\ \\' \\\" \\t \\n \\r \\u{...}",
        ),
        ("\"\"\"\n", "1:1: no \"\"\" ends what this begins"),
    ] {
        wrong(&ty, text, message);
    }
}

#[test]
fn lists_and_tuples() {
    let list = make(|table| table.add(Defined::List(T::Char)));
    both(&list, "[]");
    both(&list, "['a', 'b']");
    same(&list, "[ 'a' , // first\n 'b', ]", "['a', 'b']");
    wrong(&list, "[,]", "1:2: expected a char: 'x', got ','");
    wrong(&list, "['a',,]", "1:6: expected a char: 'x', got ','");
    wrong(&list, "['a' 'b']", "1:6: expected ',' or ']', got ''b''");
    wrong(&list, "['a')", "1:5: expected ',' or ']', got ')'");
    wrong(&list, "['a'", "1:5: expected ',' or ']', got the end");
    wrong(&list, "('a')", "1:1: expected a list: [...], got '('");
    let fixed = make(|table| table.add(Defined::FixedList(T::U8, 2)));
    both(&fixed, "[1, 2]");
    wrong(&fixed, "[1]", "1:1: expected 2 elements, got 1");
    wrong(&fixed, "[1, 2, 3]", "1:1: expected 2 elements, got 3");
    let tuple = make(|table| table.add(Defined::Tuple([T::String, T::U8].into())));
    both(&tuple, "(\"abc\", 123)");
    same(&tuple, "(\"\",1,)", "(\"\", 1)");
    wrong(&tuple, "(\"\")", "1:1: expected 2 values in a tuple, got 1");
    wrong(&tuple, "(\"\", 1, 2)", "1:1: expected 2 values in a tuple, got more");
    let map = make(|table| table.add(Defined::Map(T::String, T::U8)));
    both(&map, "[]");
    both(&map, "[(\"a\", 1), (\"b\", 2)]");
    wrong(&map, "[(\"a\")]", "1:2: expected 2 values in a tuple, got 1");
}

#[test]
fn records() {
    let record = make(|table| {
        let option = table.option(T::U8);
        table.record(&[("must-have", T::U8), ("optional", option), ("true", T::Bool)])
    });
    both(&record, "{must-have: 1, true: false}");
    both(&record, "{must-have: 1, optional: some(2), true: true}");
    same(
        &record,
        "{%true: true, optional: 2, must-have: 1,}",
        "{must-have: 1, optional: some(2), true: true}",
    );
    for (text, message) in [
        ("{must-have: 1}", "1:1: field 'true' is missing"),
        ("{true: true, true: true}", "1:14: field 'true' is given twice"),
        ("{ other: 1}", "1:3: there is no field 'other': must-have, optional, true"),
        ("{must-have 1}", "1:12: expected ':', got '1'"),
        ("{must-have: 1,, true: true}", "1:15: expected the name of a field, got ','"),
        ("{}", "1:1: a record without fields is written '{:}'"),
        ("{must-have: \"x\"}", "1:13: expected a u8, got '\"x\"'"),
        ("{\n  must-have: 256\n}", "2:14: 256 is out of range for u8: 0 to 255"),
        ("(1)", "1:1: expected a record: {name: value, ...}, got '('"),
    ] {
        wrong(&record, text, message);
    }
    let optional = make(|table| {
        let option = table.option(T::U8);
        table.record(&[("a", option), ("b", option)])
    });
    both(&optional, "{:}");
    same(&optional, "{ : }", "{:}");
    same(&optional, "{b: none}", "{:}");
    same(&optional, "{b:some(2),a:1}", "{a: some(1), b: some(2)}");
}

#[test]
fn variants_enums_and_flags() {
    let variant = make(|table| {
        let list = table.add(Defined::List(T::U8));
        table.add(Defined::Variant(Box::new([
            ("empty".into(), None),
            ("body".into(), Some(list)),
            ("err".into(), Some(T::String)),
        ])))
    });
    both(&variant, "empty");
    both(&variant, "body([79, 75])");
    both(&variant, "%err(\"oops\")");
    same(&variant, "%empty", "empty");
    same(&variant, "body // why\n ( [ ] )", "body([])");
    wrong(&variant, "err(\"\")", "1:1: a case of this name is written '%err'");
    wrong(&variant, "full", "1:1: there is no case 'full': empty, body, err");
    wrong(&variant, "body", "1:5: 'body' needs a value: body(...)");
    wrong(&variant, "body()", "1:6: expected a list: [...], got ')'");
    wrong(&variant, "empty(1)", "1:6: 'empty' has no value");
    wrong(&variant, "body([], [])", "1:8: expected ')', got ','");
    let status = make(|table| table.add(Defined::Enum(Table::names(&["ok", "not-found"]))));
    both(&status, "%ok");
    both(&status, "not-found");
    wrong(&status, "ok", "1:1: a case of this name is written '%ok'");
    wrong(&status, "not-found(1)", "1:10: expected nothing more, got '('");
    wrong(&status, "-not", "1:1: a '-' without a number");
    wrong(&status, "not--found", "1:1: there is no case 'not--found': ok, not-found");
    let flags = make(|table| table.add(Defined::Flags(Table::names(&["read", "write", "none"]))));
    both(&flags, "{}");
    both(&flags, "{read, none}");
    same(&flags, "{write, %read,}", "{read, write}");
    wrong(&flags, "{read, read}", "1:8: flag 'read' is given twice");
    wrong(&flags, "{exec}", "1:2: there is no flag 'exec': read, write, none");
    wrong(&flags, "{:}", "1:2: expected the name of a flag, got ':'");
}

#[test]
fn options_and_results() {
    let option = make(|table| table.option(T::U8));
    both(&option, "none");
    both(&option, "some(1)");
    same(&option, "1", "some(1)");
    wrong(&option, "some", "1:5: 'some' needs a value: some(...)");
    wrong(&option, "some()", "1:6: expected a u8, got ')'");
    wrong(&option, "some(some(1))", "1:6: expected a u8, got 'some'");
    wrong(&option, "none(0)", "1:5: 'none' has no value");
    wrong(&option, "%some(1)", "1:1: expected a u8, got '%some'");
    let nested = make(|table| {
        let option = table.option(T::U8);
        table.option(option)
    });
    for text in ["none", "some(none)", "some(some(4))"] {
        both(&nested, text);
    }
    same(&nested, "some(4)", "some(some(4))");
    wrong(&nested, "4", "1:1: expected some(...) or none, got '4'");
    // A case like the keyword.
    let odd = make(|table| {
        let odd = table.add(Defined::Enum(Table::names(&["some", "other"])));
        table.option(odd)
    });
    both(&odd, "some(%some)");
    same(&odd, "%some", "some(%some)");
    same(&odd, "other", "some(other)");
    let result = |ok, err| make(|table| table.add(Defined::Result { ok, err }));
    let both_sides = result(Some(T::U8), Some(T::String));
    both(&both_sides, "ok(1)");
    both(&both_sides, "err(\"oops\")");
    same(&both_sides, "1", "ok(1)");
    wrong(&both_sides, "ok", "1:3: 'ok' needs a value: ok(...)");
    wrong(&both_sides, "err()", "1:5: expected a string: \"...\", got ')'");
    let bare = result(None, None);
    both(&bare, "ok");
    both(&bare, "err");
    wrong(&bare, "ok(1)", "1:3: 'ok' has no value");
    wrong(&bare, "1", "1:1: expected ok or err, got '1'");
}

#[test]
fn resources_have_no_text() {
    let ty = plain(T::Own(crate::types::ResourceIndex(0)));
    wrong(&ty, "1", "1:1: a resource cannot be written as text");
    let list = make(|table| table.add(Defined::List(T::Borrow(crate::types::ResourceIndex(0)))));
    both(&list, "[]");
    wrong(&list, "[x]", "1:2: a resource cannot be written as text");
}

/// Texts of parts that mean something, in any order: each is a value that is written as
/// one that is the same, or an error with a place in the text.
#[test]
fn texts_at_random() {
    const PARTS: &[&str] = &[
        "{", "}", "(", ")", "[", "]", ",", ":", " ", "\n", "//", "%", "-", ".", "e", "0", "1",
        "255", "-1", "1.5", "inf", "nan", "true", "some", "none", "ok", "err", "a", "b-c", "\"",
        "\"x\"", "'", "'y'", "\\", "\\u{", "\\u{41}", "\"\"\"", "\"\"\"\n", "é", "🦀", "\r\n",
        "\0",
    ];
    let types = [
        plain(T::Bool),
        plain(T::S16),
        plain(T::F32),
        plain(T::Char),
        plain(T::String),
        make(|table| {
            let option = table.option(T::U8);
            let names = table.add(Defined::Flags(Table::names(&["a", "b-c"])));
            let list = table.add(Defined::List(names));
            table.record(&[("a", option), ("b-c", list)])
        }),
        make(|table| {
            let case = table.add(Defined::Variant(Box::new([
                ("a".into(), Some(T::String)),
                ("some".into(), None),
            ])));
            let result = table.add(Defined::Result { ok: Some(case), err: Some(T::Char) });
            table.add(Defined::Tuple([result, T::F64].into()))
        }),
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as usize % limit
    };
    let mut values = 0;
    for _ in 0..200_000 {
        let text: String = (0..1 + random(7)).map(|_| PARTS[random(PARTS.len())]).collect();
        for ty in &types {
            match read(ty, &text) {
                Ok(value) => {
                    let written = write(&value).unwrap();
                    assert_eq!(read(ty, &written).unwrap(), value, "{text}");
                    values += 1;
                }
                Err(error) => assert!(text.is_char_boundary(error.offset()), "{text}: {error}"),
            }
        }
    }
    assert!(values > 1000, "{values}");
}

#[test]
fn nesting_is_bounded() {
    let deep = make(|table| (0..10_000).fold(T::U8, |ty, _| table.add(Defined::List(ty))));
    let message = read(&deep, &"[".repeat(10_000)).unwrap_err().to_string();
    assert_eq!(message, "1:101: the type is nested too deeply to be written");
    let value = (0..100).fold(Val::U8(1), |value, _| Val::List(vec![value]));
    assert!(write(&value).unwrap_err().to_string().contains("nested too deeply"));
}

fn func(params: &[T], result: Option<T>) -> ComponentFunc {
    func_in(Table::default(), params, result)
}

fn func_in(mut table: Table, params: &[InterfaceType], result: Option<T>) -> ComponentFunc {
    let params = params.iter().map(|ty| ("p".into(), *ty)).collect();
    let index = table.0.intern_func(FuncType { params, result, asynchronous: false });
    ComponentFunc::new(&Arc::new(table.0), &[ResourceType::host_dynamic(1)].into(), index)
}

#[test]
fn calls() {
    let ty = func(&[T::U8, T::String], None);
    let call = Call::parse(" add // (no)").unwrap();
    assert_eq!(call.name(), "add //");
    let call = Call::parse(" f-1 ( 1, \"(x)\", ) // done").unwrap();
    assert_eq!(call.name(), "f-1");
    assert_eq!(call.args(&ty).unwrap(), [Val::U8(1), Val::String("(x)".into())]);
    let wrong = |text: &str, message: &str| {
        let error = Call::parse(text).and_then(|call| call.args(&ty)).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    };
    wrong("", "1:1: expected the name of a function");
    wrong("(1)", "1:1: expected the name of a function");
    wrong("f", "1:2: 'f' expects 2 arguments, got 0");
    wrong("f()", "1:2: 'f' expects 2 arguments, got 0");
    wrong("f(1)", "1:2: 'f' expects 2 arguments, got 1");
    wrong("f(1, \"\", 2)", "1:10: 'f' expects 2 arguments, got more");
    wrong("f(1, \"\"", "1:8: expected ',' or ')', got the end");
    wrong("f(1, \"\") x", "1:10: expected nothing more, got 'x'");
    wrong("f(1,\n  2)", "2:3: expected a string: \"...\", got '2'");
    let mut table = Table::default();
    let option = table.option(T::U8);
    let ty = func_in(table, &[T::U8, option, option], None);
    let none = Val::Option(None);
    let args = Call::parse("f(1)").unwrap().args(&ty).unwrap();
    assert_eq!(args, [Val::U8(1), none.clone(), none.clone()]);
    let one = Val::Option(Some(Box::new(Val::U8(1))));
    assert_eq!(Call::parse("f(1, 1)").unwrap().args(&ty).unwrap(), [Val::U8(1), one, none]);
}

fn export(interface: Option<&str>, name: &str) -> Export {
    call::Export::new(interface.map(str::to_owned), name.to_owned(), func(&[], None))
}

#[test]
fn names_of_functions() {
    let exports = [
        export(None, "run"),
        export(Some("a:b/c@1.0.0"), "run"),
        export(Some("a:b/c@1.0.0"), "only"),
        export(Some("a:b/c@2.0.0-rc.1"), "run"),
        export(Some("x:y/z"), "[static]r.make"),
        export(Some("x:y/z"), "[method]r.get"),
        export(Some("plain"), "twice"),
        export(Some("q:w/other"), "twice"),
        export(Some("x:y/z#inner"), "deep"),
    ];
    let find = |name: &str| match Call::parse(name).unwrap().find(&exports) {
        Ok(export) => export.path(),
        Err(NotFound::Unknown) => "unknown".into(),
        Err(NotFound::Ambiguous(found)) => {
            let found: Vec<_> = found.iter().map(|export| export.path()).collect();
            found.join(" or ")
        }
    };
    for (name, path) in [
        ("run()", "run"),
        ("a:b/c@1.0.0#run", "a:b/c@1.0.0#run"),
        ("a:b/c@1.0.0.run(1)", "a:b/c@1.0.0#run"),
        ("a:b/c.run@1.0.0", "a:b/c@1.0.0#run"),
        ("c.run@2.0.0-rc.1", "a:b/c@2.0.0-rc.1#run"),
        ("c@1.0.0.run", "a:b/c@1.0.0#run"),
        ("a:b/c.run", "a:b/c@1.0.0#run or a:b/c@2.0.0-rc.1#run"),
        ("c#run", "a:b/c@1.0.0#run or a:b/c@2.0.0-rc.1#run"),
        ("only", "a:b/c@1.0.0#only"),
        ("c.only", "a:b/c@1.0.0#only"),
        ("b/c.only", "unknown"),
        ("a:b/c@1.0.1#only", "unknown"),
        ("x:y/z#[static]r.make", "x:y/z#[static]r.make"),
        ("z.r.make", "x:y/z#[static]r.make"),
        ("r.make", "x:y/z#[static]r.make"),
        ("[method]r.get", "x:y/z#[method]r.get"),
        ("twice", "plain#twice or q:w/other#twice"),
        ("plain.twice", "plain#twice"),
        ("deep", "x:y/z#inner#deep"),
        ("x:y/z#inner#deep", "x:y/z#inner#deep"),
        ("nothing", "unknown"),
        ("#run", "unknown"),
        (".run", "unknown"),
    ] {
        assert_eq!(find(name), path, "{name}");
    }
}

#[test]
fn results_with_resources_are_known_before() {
    let own = T::Own(crate::types::ResourceIndex(0));
    let mut table = Table::default();
    let list = table.add(Defined::List(own));
    let pair = table.add(Defined::Tuple([T::U8, list].into()));
    let deep = func_in(table, &[], Some(pair));
    let returns = |ty| !call::Export::new(None, "f".into(), ty).is_writable();
    assert!(returns(deep));
    assert!(returns(func(&[], Some(own))));
    assert!(!returns(func(&[own], Some(T::U8))));
    // A type whose parts, written out, are too many to be looked at one by one.
    let mut table = Table::default();
    let wide = (0..60).fold(T::U8, |ty, _| table.add(Defined::Tuple([ty, ty].into())));
    assert!(!returns(func_in(table, &[], Some(wide))));
}
