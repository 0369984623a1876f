//! Whatever a custom section says, the module is valid and runs.
#![cfg(feature = "wat")]

use zwasm::{Config, Engine, Instance, Module, Store, Strategy};

/// Runs the export `f`, which returns 42, of a module in every strategy.
fn runs(wasm: &[u8], why: &str) {
    for strategy in [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)]
    {
        let mut config = Config::new();
        let Ok(engine) = Engine::new(config.strategy(strategy)) else { continue };
        let module = Module::new(&engine, wasm).unwrap_or_else(|error| panic!("{why}: {error}"));
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), 42, "{why}");
        assert!(module.branch_hint(0, 1).is_none(), "{why}");
    }
}

/// The binary format of a module, whose code starts at offset 1 of the body of
/// function 0, with these custom sections before or behind all others.
fn with_sections(sections: &[(&str, &[u8])], first: bool) -> Vec<u8> {
    let plain = wat::parse_str("(module (func (export \"f\") (result i32) i32.const 42))").unwrap();
    let mut custom = Vec::new();
    for (name, contents) in sections {
        custom.push(0);
        custom.push((1 + name.len() + contents.len()) as u8);
        custom.push(name.len() as u8);
        custom.extend_from_slice(name.as_bytes());
        custom.extend_from_slice(contents);
    }
    match first {
        true => [&plain[..8], &custom, &plain[8..]].concat(),
        false => [&plain[..], &custom].concat(),
    }
}

#[test]
fn a_hint_for_what_is_no_branch_is_ignored() {
    let wat = "(module (func (export \"f\") (result i32)
        (@metadata.code.branch_hint \"\\01\") i32.const 42))";
    let wasm = wat::parse_str(wat).unwrap();
    runs(&wasm, "a constant");
    let module = Module::new(&Engine::default(), &wasm).unwrap();
    assert!(module.check_branch_hints().is_err());
}

#[test]
fn no_custom_section_makes_a_module_invalid() {
    let hints = "metadata.code.branch_hint";
    let contents: [&[u8]; 14] = [
        &[],
        &[0],
        &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
        &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        // A function that is not there, and one twice.
        &[1, 9, 1, 1, 1, 1],
        &[1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 1, 1, 1],
        &[2, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1],
        // No branch, a place beyond the body, the same place twice.
        &[1, 0, 1, 1, 1, 1],
        &[1, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 1],
        &[1, 0, 2, 1, 1, 1, 1, 1, 0],
        // A size and values that are not known, and something behind the end.
        &[1, 0, 1, 1, 2, 1, 1],
        &[1, 0, 1, 1, 1, 7],
        &[1, 0, 1, 1, 1, 1, 0],
        b"anything",
    ];
    for name in [hints, "name", "producers", "dylink.0", "linking", ""] {
        for contents in contents {
            for first in [false, true] {
                let why = format!("{name:?} with {contents:?}, first {first}");
                runs(&with_sections(&[(name, contents)], first), &why);
                let twice = [(name, contents), (name, contents)];
                runs(&with_sections(&twice, first), &why);
            }
        }
    }
}
