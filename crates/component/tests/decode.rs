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
        let asynchronous = name.contains("_p3_") || name == "composed_flow.wasm";
        let component = Component::from_file(&Engine::default(), &path);
        match component {
            Ok(component) if !asynchronous => {
                let wit = wit::text(&component.component_type());
                assert!(wit.contains("world"), "{name}: {wit}");
            }
            Err(error) if asynchronous => {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}");
                assert!(error.to_string().contains("asynchronous"), "{name}: {error}");
            }
            Ok(_) => panic!("{name} was decoded"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
}
