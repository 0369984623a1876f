//! Types as WIT: what components of our own look like, and that the text of every
//! component there is can be read by another reader of WIT.

use std::path::Path;

use wit_parser::Resolve;
use zwasm::Engine;
use zwasm_component::Component;
use zwasm_component::wit::{self, Style};

fn component(text: &str) -> Component {
    Component::new(&Engine::default(), text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The text of a component, which another reader reads.
#[track_caller]
fn text(component: &Component) -> String {
    let text = wit::text(&component.component_type());
    if let Err(error) = Resolve::default().push_source("component.wit", &text) {
        panic!("{error:?}\n{text}");
    }
    text
}

#[track_caller]
fn is(source: &str, expected: &str) {
    let text = text(&component(source));
    assert!(text == expected, "expected\n{expected}\ngot\n{text}");
}

#[test]
fn nothing() {
    is("(component)", "package root:component;\n\nworld root {\n}\n");
}

#[test]
fn functions_of_all_types() {
    is(
        r#"(component
          (import "none" (func))
          (import "plain" (func (param "a" bool) (param "b" s8) (param "c" u16) (param "d" s32)
            (param "e" u64) (param "f" f32) (param "g" f64) (param "h" char)
            (param "type" string) (result string)))
          (type $result (result))
          (type $ok (result u8))
          (type $err (result (error string)))
          (type $both (result u8 (error string)))
          (type $option (option $both))
          (type $list (list $option))
          (type $tuple (tuple $list $ok))
          (import "made" (func (param "a" $result) (param "b" $tuple) (result $err))))"#,
        "package root:component;

world root {
  import none: func();
  import plain: func(a: bool, b: s8, c: u16, d: s32, e: u64, f: f32, g: f64, h: char, %type: \
         string) -> string;
  import made: func(a: result, b: tuple<list<option<result<u8, string>>>, result<u8>>) -> \
         result<_, string>;
}
",
    );
}

const INTERFACES: &str = r#"(component
  (import "a:b/types@1.2.0" (instance $types
    (export "stream" (type $stream (sub resource)))
    (export "[constructor]stream" (func (param "size" u32) (result (own $stream))))
    (export "[method]stream.read" (func (param "self" (borrow $stream)) (result string)))
    (export "[static]stream.merge"
      (func (param "a" (own $stream)) (param "b" (own $stream)) (result (own $stream))))
    (type $color (enum "red" "blue"))
    (export "color" (type $c (eq $color)))
    (type $point (record (field "x" s32) (field "color" $c)))
    (export "point" (type $p (eq $point)))
    (export "place" (type (eq $p)))
    (type $size u64)
    (export "size" (type (eq $size)))
    (type $shape (variant (case "empty") (case "at" $p)))
    (export "shape" (type $s (eq $shape)))
    (type $mode (flags "read" "write"))
    (export "mode" (type $m (eq $mode)))
    (export "open" (func (param "at" $s) (param "mode" $m) (result (own $stream))))))
  (alias export $types "stream" (type $stream))
  (alias export $types "point" (type $point))
  (import "a:b/user@1.2.0" (instance
    (alias outer 1 $stream (type $outer))
    (export "input" (type $stream (eq $outer)))
    (alias outer 1 $point (type $outer-point))
    (export "point" (type $point (eq $outer-point)))
    (export "send" (func (param "to" (borrow $stream)) (param "at" $point)))))
  (import "other" (instance
    (alias outer 1 $point (type $outer-point))
    (export "point" (type $point (eq $outer-point)))
    (export "list" (func (result (list $point))))))
  (import "point" (type $world-point (eq $point)))
  (import "take" (func (param "p" $world-point) (param "s" (borrow $stream)))))"#;

#[test]
fn interfaces_resources_and_uses() {
    is(
        INTERFACES,
        "package root:component;

world root {
  import a:b/types@1.2.0;
  import a:b/user@1.2.0;
  import other: interface {
    use a:b/types@1.2.0.{point};
    %list: func() -> list<point>;
  }
  use a:b/types@1.2.0.{point, %stream};
  import take: func(p: point, s: borrow<%stream>);
}

package a:b@1.2.0 {
  interface types {
    resource %stream {
      constructor(size: u32);
      read: func() -> string;
      merge: static func(a: %stream, b: %stream) -> %stream;
    }
    enum color {
      red,
      blue,
    }
    record point {
      x: s32,
      color: color,
    }
    type place = point;
    type size = u64;
    variant shape {
      empty,
      at(point),
    }
    flags mode {
      read,
      write,
    }
    open: func(at: shape, mode: mode) -> %stream;
  }

  interface user {
    use types.{%stream as input, point};
    send: func(to: borrow<input>, at: point);
  }
}
",
    );
}

#[test]
fn modules_and_components_are_comments() {
    is(
        r#"(component
          (import "m" (core module (import "env" "f" (func (param i32))) (export "mem" (memory 1))))
          (import "c" (component (import "f" (func)))))"#,
        "package root:component;

world root {
  // import m: core module
  //   import env.f: func (param i32)
  //   export mem: memory 1
  // import c: component
}
",
    );
}

#[test]
fn types_that_double_are_cut_off() {
    let name = format!("a{}", "-b".repeat(2500));
    let mut source =
        format!("(component (type $e (enum \"x\")) (import \"{name}\" (type $t0 (eq $e)))");
    for at in 0..12 {
        source += &format!("(type $t{} (tuple $t{at} $t{at}))", at + 1);
    }
    for at in 0..3 {
        source += &format!("(import \"f{at}\" (func (param \"p\" $t12)))");
    }
    let component = component(&(source + ")"));
    let text = wit::text(&component.component_type());
    assert!(text.len() < 20 << 20 && text.contains('…'), "{}", text.len());
    assert!(text.ends_with("the text would be too long.\n"));
    let [imports, _] = wit::json(&component.component_type(), &style());
    assert!(imports.iter().map(String::len).sum::<usize>() < 20 << 20);
    assert_eq!(imports.last().unwrap(), "null");
}

fn quote(text: &str) -> String {
    format!("{text:?}")
}

fn style() -> Style<'static> {
    Style { quote, core: &|ty| format!("\"core\": \"{ty}\"") }
}

#[test]
fn json() {
    let [imports, exports] = wit::json(&component(INTERFACES).component_type(), &style());
    assert!(exports.is_empty());
    assert_eq!(imports.len(), 5);
    for part in [
        r#"{"name": "stream", "kind": "resource", "resource": 0}"#,
        r#"{"name": "color", "kind": "type", "type": {"enum": ["red", "blue"]}}"#,
        r#"{"record": [{"name": "x", "type": "s32"}, {"name": "color", "type": {"ref": "color"}}]}"#,
        r#"{"name": "open", "kind": "func", "params": [{"name": "at", "type": {"ref": "shape"}}, "#,
        r#""result": {"own": 0}}"#,
    ] {
        assert!(imports[0].contains(part), "no {part} in {}", imports[0]);
    }
    assert!(imports[1].contains(r#"{"name": "input", "kind": "resource", "resource": 0}"#));
    assert!(imports[1].contains(r#"{"name": "to", "type": {"borrow": 0}}"#));
    assert!(imports[2].starts_with(r#"{"name": "other", "kind": "instance", "exports": ["#));
    assert!(imports[2].contains(r#""result": {"list": {"ref": "point"}}"#));
}

/// What is left of a component when some of its bytes are others: if it is one still, it
/// has a text.
#[test]
fn mutated_components() {
    let bytes = wat::parse_str(INTERFACES).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as usize % limit
    };
    let engine = Engine::default();
    let mut written = 0;
    for _ in 0..20_000 {
        let mut mutated = bytes.clone();
        for _ in 0..1 + random(2) {
            let at = 8 + random(mutated.len() - 8);
            mutated[at] = random(256) as u8;
        }
        if let Ok(component) = Component::from_binary(&engine, &mutated) {
            let ty = component.component_type();
            assert!(wit::text(&ty).contains("world root"));
            let _ = wit::json(&ty, &style());
            written += 1;
        }
    }
    assert!(written > 100, "{written}");
}

/// Components that all kinds of tools made.
#[test]
fn components_of_tools() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let folders = ["components", "p2-components/native"].map(|name| corpora.join(name));
    let mut read = 0;
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            println!("{} is not there", folder.display());
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // Asynchronous ones are not decoded.
            let is_async = ["rs_p3", "flow"].iter().any(|part| name.contains(part));
            if path.extension().is_none_or(|extension| extension != "wasm") || is_async {
                continue;
            }
            let component = Component::from_file(&Engine::default(), &path)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let text = text(&component);
            assert!(text.contains("world root"), "{name}");
            if std::env::var_os("SHOW").is_some() {
                println!("// {name}\n{text}");
            }
            read += 1;
        }
    }
    println!("{read} components");
}
