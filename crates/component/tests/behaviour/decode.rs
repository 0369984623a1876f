//! Decoding components: what their types are, and what is wrong with those that are not
//! right.

use zwasm::{Engine, ErrorKind};
use zwasm_component::{Component, wit};

fn types(text: &str) -> String {
    let component = Component::new(&Engine::default(), text).expect(text);
    wit::text(&component.component_type())
}

#[test]
fn a_lifted_function_is_an_export() {
    let text = r#"(component
        (core module $m (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1))))
        (core instance $i (instantiate $m))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32)
            (canon lift (core func $i "add"))))"#;
    let wit = types(text);
    assert!(wit.contains("export add: func(a: u32, b: u32) -> u32;"), "{wit}");
}

#[test]
fn programs_of_toolchains_are_decoded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora/components");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("{folder} is absent");
        return;
    };
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let component = Component::from_file(&Engine::default(), &path);
        match component {
            Ok(component) => {
                let wit = wit::text(&component.component_type());
                assert!(wit.contains("world"), "{name}: {wit}");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

fn error(text: &str) -> zwasm::Error {
    Component::new(&Engine::default(), text).expect_err(text)
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let wrong = error("(component (import \"a\" (func)) (import \"a\" (func)))");
    assert_eq!(wrong.kind(), ErrorKind::Invalid);
    assert!(wrong.to_string().starts_with("invalid component: import name `a`"), "{wrong}");
    assert!(wrong.offset().is_some());
    let body = error("(component (core module (func (result i32))))");
    let message = body.to_string();
    assert!(message.starts_with("invalid component: in the core module at byte"), "{message}");
    assert!(message.contains("type mismatch"), "{message}");
    assert_eq!(error("(module)").kind(), ErrorKind::Unsupported);
    assert_eq!(error("(component").kind(), ErrorKind::Invalid);
}

#[test]
fn nested_instantiations_are_bounded() {
    // Each component instantiates the one before it twice.
    let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..30 {
        let before = level - 1;
        text += &format!(
            "(component $c{level} (alias outer 1 $c{before} (component $c))
                (instance (instantiate $c)) (instance (instantiate $c)))"
        );
    }
    let bomb = format!("(component {text} (instance (instantiate $c29)))");
    assert_eq!(error(&bomb).kind(), ErrorKind::Limit);
    // The same where only the type is asked for.
    let bomb = format!("(component {text} (export \"c\" (component $c29)))");
    assert_eq!(error(&bomb).kind(), ErrorKind::Limit);
    // Defined alone it takes nothing.
    assert!(Component::new(&Engine::default(), format!("(component {text})")).is_ok());
    // A depth that is no work.
    let few = format!("(component {text} (instance (instantiate $c10)))");
    assert!(Component::new(&Engine::default(), few).is_ok());
}

#[test]
fn nesting_is_bounded() {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    let nested = |depth| {
        let mut binary = HEADER.to_vec();
        for _ in 1..depth {
            // A section with what was there so far, whose length takes two bytes.
            let length = binary.len();
            let section = [4, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
            binary = [HEADER, &section, &binary].concat();
        }
        binary
    };
    assert!(Component::new(&Engine::default(), nested(100)).is_ok());
    let too_deep = Component::new(&Engine::default(), nested(101)).unwrap_err().summary();
    assert!(too_deep.contains("nested deeper than 100"), "{too_deep}");
    // Components that are not nested, but their instantiations are.
    let chain = |length| {
        let mut text = "(component (component $c0)".to_owned();
        for level in 1..length {
            let before = level - 1;
            text += &format!(
                "(component $c{level} (alias outer 1 $c{before} (component $c))
                    (instance (instantiate $c)))"
            );
        }
        text + &format!("(instance (instantiate $c{})))", length - 1)
    };
    assert!(Component::new(&Engine::default(), chain(50)).is_ok());
    assert_eq!(error(&chain(200)).kind(), ErrorKind::Limit);
}

#[test]
fn large_types_are_bounded() {
    // Each instance type has two of the one before it.
    let mut text = "(type $t0 (instance (export \"r\" (type (sub resource)))))".to_owned();
    for level in 1..30 {
        let before = level - 1;
        text += &format!(
            "(type $t{level} (instance (alias outer 1 $t{before} (type $t))
                (export \"a\" (instance (type $t))) (export \"b\" (instance (type $t)))))"
        );
    }
    let bomb = format!("(component {text} (import \"i\" (instance (type $t29))))");
    assert_eq!(error(&bomb).kind(), ErrorKind::Limit);
    // Types of values are there once, however often they are named.
    let mut text = "(type $t0 (tuple u8 u8))".to_owned();
    for level in 1..16 {
        let before = level - 1;
        text += &format!("(type $t{level} (tuple $t{before} $t{before}))");
    }
    let shared = format!("(component {text} (import \"f\" (func (param \"a\" $t15))))");
    let start = std::time::Instant::now();
    let shared = Component::new(&Engine::default(), shared);
    assert!(shared.is_ok(), "{shared:?}");
    assert!(start.elapsed().as_secs() < 5);
}

/// What a component exports through nested ones has the types of what they are given.
#[test]
fn arguments_take_the_place_of_imports() {
    let wit = types(
        r#"(component
            (import "host" (instance $host
                (export "r" (type $r (sub resource)))
                (export "[method]r.get" (func (param "self" (borrow $r)) (result u32)))))
            (alias export $host "r" (type $r))
            (component $inner
                (import "r" (type $r (sub resource)))
                (import "take" (func $take (param "self" (borrow $r)) (result u32)))
                (export $r2 "again" (type $r))
                (export "got" (func $take) (func (param "self" (borrow $r2)) (result u32))))
            (instance $i (instantiate $inner
                (with "r" (type $r))
                (with "take" (func $host "[method]r.get"))))
            (export "out" (instance $i)))"#,
    );
    assert!(wit.contains("got: func(self: borrow<again>) -> u32"), "{wit}");
}

/// No cut or changed component is a panic, and none takes long.
#[test]
fn broken_components_are_refused() {
    let text = r#"(component
        (import "i" (instance $i
            (export "r" (type $r (sub resource)))
            (export "f" (func (param "x" (list (borrow $r))) (result (option string))))))
        (core module $m (memory (export "m") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
        (core instance $m (instantiate $m))
        (core func $f (canon lower (func $i "f") (memory (core memory $m "m"))
            (realloc (core func $m "realloc"))))
        (type $u u32)
        (component $c (type $u u32) (import "a" (type $a (eq $u)))
            (type $v (variant (case "x" u8) (case "y" (list u64))))
            (export "v" (type $v)))
        (instance $c (instantiate $c (with "a" (type $u))))
        (export "c" (instance $c)))"#;
    let binary = wat::parse_str(text).unwrap();
    let engine = Engine::default();
    assert!(Component::new(&engine, &binary).is_ok());
    for end in 0..binary.len() {
        let _ = Component::new(&engine, &binary[..end]);
    }
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut changed = binary.clone();
        for _ in 0..3 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % changed.len();
            changed[at] = (state >> 25) as u8;
        }
        let _ = Component::new(&engine, &changed);
    }
}

/// Whoever goes through a type calls itself for what is within.
#[test]
fn nested_types_are_bounded() {
    let values = |depth: usize, of: &str| {
        let mut text = "(component (type $t0 (list u8))".to_owned();
        for level in 1..depth {
            text += &format!("(type $t{level} ({of} $t{}))", level - 1);
        }
        text + &format!("(import \"f\" (func (param \"a\" $t{}))))", depth - 1)
    };
    for of in ["list", "tuple", "option", "result"] {
        let deep = Component::new(&Engine::default(), values(90, of));
        assert!(deep.is_ok(), "{of}: {deep:?}");
        let message = error(&values(10_000, of)).to_string();
        assert!(message.contains("nesting is too deep"), "{of}: {message}");
    }
    let mut instances = "(component (instance $i0)".to_owned();
    let mut types = "(component (type $t0 (instance))".to_owned();
    for level in 1..200 {
        let before = level - 1;
        instances += &format!("(instance $i{level} (export \"i\" (instance $i{before})))");
        types += &format!(
            "(type $t{level} (instance (alias outer 1 $t{before} (type $t))
                (export \"a\" (instance (type $t)))))"
        );
    }
    let instances = instances + "(export \"i\" (instance $i199)))";
    assert!(error(&instances).to_string().contains("nesting is too deep"));
    let types = types + "(import \"i\" (instance (type $t199))))";
    assert!(error(&types).to_string().contains("nesting is too deep"));
}

#[test]
fn components_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Component>();
    shared::<zwasm_component::Linker<()>>();
    shared::<zwasm_component::InstancePre<()>>();
}
