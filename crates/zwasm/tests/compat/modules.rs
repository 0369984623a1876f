//! Modules: as bytes, built step by step, and what they need.

use engine::ModuleVersionStrategy;
use engine::{CodeBuilder, CodeHint, Config, Engine, Instance, Module, Precompiled, Result, Store};

const TEXT: &str = r#"(module $name
    (memory 2) (table 3 funcref)
    (func (export "f") (result i32) (i32.const 42)))"#;

/// In one of the two, loading is a promise.
#[allow(unused_unsafe, reason = "only one of the two asks for it")]
fn load(engine: &Engine, bytes: &[u8]) -> Result<Module> {
    // SAFETY: the bytes are a serialized module, or something that is refused.
    unsafe { Module::deserialize(engine, bytes) }
}

#[test]
fn a_module_is_loaded_again() -> Result<()> {
    let engine = Engine::default();
    let bytes = Module::new(&engine, TEXT)?.serialize()?;
    assert_eq!(Engine::detect_precompiled(&bytes), Some(Precompiled::Module));
    assert_eq!(Engine::detect_precompiled(b"\0asm"), None);
    let module = load(&engine, &bytes)?;
    assert_eq!(module.name(), Some("name"));
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())?, 42);
    assert!(load(&engine, b"\0asm\x01\0\0\0").is_err());
    assert_eq!(engine.precompile_module(TEXT.as_bytes())?, bytes);
    Ok(())
}

#[test]
fn another_version_is_refused() -> Result<()> {
    let bytes = Module::new(&Engine::default(), TEXT)?.serialize()?;
    let mut config = Config::new();
    config.module_version(ModuleVersionStrategy::Custom(String::from("mine")))?;
    let error = load(&Engine::new(&config)?, &bytes).unwrap_err();
    let words = "Module was compiled with incompatible version";
    assert!(error.to_string().starts_with(words), "{error}");
    config.module_version(ModuleVersionStrategy::None)?;
    load(&Engine::new(&config)?, &bytes)?;
    Ok(())
}

#[test]
fn a_module_is_built_step_by_step() -> Result<()> {
    let engine = Engine::default();
    let mut builder = CodeBuilder::new(&engine);
    assert!(builder.compile_module().is_err());
    builder.wasm_binary_or_text(TEXT.as_bytes(), None)?;
    assert!(matches!(builder.hint(), Some(CodeHint::Module)));
    assert!(builder.wasm_binary_or_text(TEXT.as_bytes(), None).is_err());
    assert_eq!(builder.compile_module()?.exports().len(), 1);
    Ok(())
}

#[test]
fn a_module_tells_what_it_takes() -> Result<()> {
    let required = Module::new(&Engine::default(), TEXT)?.resources_required();
    assert_eq!((required.num_memories, required.max_initial_memory_size), (1, Some(2)));
    assert_eq!((required.num_tables, required.max_initial_table_size), (1, Some(3)));
    Ok(())
}

#[test]
fn an_engine_may_take_serialized_modules_only() -> Result<()> {
    let bytes = Module::new(&Engine::default(), TEXT)?.serialize()?;
    let mut config = Config::new();
    config.enable_compiler(false);
    let engine = Engine::new(&config)?;
    let error = Module::new(&engine, TEXT).unwrap_err();
    assert!(error.to_string().contains("Engine was not configured with a compiler"), "{error}");
    assert_eq!(load(&engine, &bytes)?.name(), Some("name"));
    Ok(())
}

#[test]
fn a_module_for_another_system_does_not_run_here() -> Result<()> {
    let mut config = Config::new();
    config.target(&format!("{}-unknown-none", std::env::consts::ARCH))?;
    let engine = Engine::new(&config)?;
    let error = Module::new(&engine, TEXT).unwrap_err();
    assert!(format!("{error:?}").contains("configuration does not match the host"), "{error:?}");
    let bytes = engine.precompile_module(TEXT.as_bytes())?;
    assert_eq!(Engine::detect_precompiled(&bytes), Some(Precompiled::Module));
    assert!(load(&engine, &bytes).is_err());
    let mut config = Config::new();
    config.target(std::env::consts::ARCH)?;
    Ok(())
}

#[test]
fn a_component_is_no_module() {
    let error = Module::new(&Engine::default(), "(component)").unwrap_err();
    let words = "expected a WebAssembly module but was given a WebAssembly component";
    assert!(format!("{error:?}").contains(words), "{error:?}");
}
