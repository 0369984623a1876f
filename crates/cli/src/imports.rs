//! Imports that nothing provides: what may stand for them, and what to tell of a module
//! that has them.
//!
//! Who runs such a module has mostly one that was made for somewhere else. Tools leave
//! their mark in the names of imports, by which the place is told, and what to do.

use std::collections::BTreeMap;

use zwasm::{Error, Extern, ExternType, FuncType, Linker, Module, Store, Val};

use crate::guest::Guest;
use crate::operands::Unknown;

/// Imports listed one by one, with their types; of more, their number and some names.
const MAX_LISTED: usize = 8;

/// Names listed of one module's imports.
const MAX_NAMES: usize = 4;

/// Defines the imports of a module that nothing provides: functions that trap or return
/// zeros; for the latter also empty memories and tables, and globals of zero.
///
/// # Errors
/// When there is no default, or one is too large.
pub fn stand_in(
    how: Unknown,
    linker: &mut Linker<Guest>,
    store: &mut Store<Guest>,
    module: &Module,
) -> Result<(), Error> {
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        if linker.get_by_import(&mut *store, &import).is_some() {
            continue;
        }
        let item: Extern = match (import.ty(), how) {
            (ExternType::Func(ty), Unknown::Trap) => {
                let message = format!("the unknown import {from:?}.{name:?} was called");
                let trap = move |_: zwasm::Caller<'_, Guest>, _: &[Val], _: &mut [Val]| {
                    Err(Error::msg(message.clone()))
                };
                linker.func_new(from, name, ty, trap)?;
                continue;
            }
            // Made where threads are.
            (ExternType::Memory(ty), _) if ty.is_shared() => continue,
            (_, Unknown::Trap) => continue,
            (ty, Unknown::Default) if !has_default(&ty) => return Err(no_default(from, name)),
            (ty, Unknown::Default) => ty.default_value(&mut *store)?,
        };
        linker.define(&*store, from, name, item)?;
    }
    Ok(())
}

fn no_default(from: &str, name: &str) -> Error {
    Error::msg(format!("the unknown import {from:?}.{name:?} has a type without a default"))
}

/// Whether there are zeros and nulls for all: not for references that may not be null.
fn has_default(ty: &ExternType) -> bool {
    match ty {
        ExternType::Func(ty) => ty.results().all(|ty| ty.default_value().is_some()),
        ExternType::Global(ty) => ty.content().default_value().is_some(),
        ExternType::Table(ty) => ty.element().is_nullable(),
        ExternType::Memory(_) | ExternType::Tag(_) => true,
    }
}

/// The message for very many unknown imports; none if the engine's own, which lists them
/// one by one, will do.
pub fn summary(
    linker: &Linker<Guest>,
    store: &mut Store<Guest>,
    module: &Module,
) -> Option<String> {
    let mut unknown: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut count = 0;
    for import in module.imports() {
        if linker.get_by_import(&mut *store, &import).is_none() {
            unknown.entry(import.module()).or_default().push(import.name());
            count += 1;
        }
    }
    if count <= MAX_LISTED {
        return None;
    }
    let groups = unknown.iter().take(MAX_LISTED).map(|(from, names)| {
        let more = if names.len() > MAX_NAMES { ", ..." } else { "" };
        let first = names[..names.len().min(MAX_NAMES)].join(", ");
        format!("{} of {from:?} ({first}{more})", names.len())
    });
    let groups: Vec<_> = groups.collect();
    let more = if unknown.len() > MAX_LISTED { ", ..." } else { "" };
    Some(format!("{count} unknown imports: {}{more}", groups.join(", ")))
}

/// What a module was made for, if its imports tell, and what to do.
pub fn made_for(module: &Module) -> Option<&'static str> {
    MARKS
        .iter()
        .find(|mark| module.imports().any(|import| (mark.is_in)(&import)))
        .map(|it| it.tells)
}

/// How a module is known by one of its imports.
struct Mark {
    is_in: fn(&zwasm::ImportType<'_>) -> bool,
    tells: &'static str,
}

const fn mark(is_in: fn(&zwasm::ImportType<'_>) -> bool, tells: &'static str) -> Mark {
    Mark { is_in, tells }
}

/// The marks of tools, the more telling ones first.
static MARKS: &[Mark] = &[
    mark(
        |import| {
            import.module().starts_with("GOT.")
                || matches!(import.name(), "__memory_base" | "__table_base")
        },
        "the module is a dynamic library, which a program of the same tools loads; linked into \
         a program statically, its code runs",
    ),
    mark(
        |import| {
            matches!(import.module(), "wbg" | "__wbindgen_placeholder__")
                || import.module().ends_with("_bg.js")
                || ["__wbg_", "__wbindgen_"].iter().any(|start| import.name().starts_with(start))
        },
        "the module was made by wasm-bindgen, for JavaScript, which has to provide its imports; \
         Rust makes programs with '--target wasm32-wasip1', without wasm-bindgen",
    ),
    mark(
        |import| {
            matches!(import.module(), "gojs" | "go")
                && ["runtime.", "syscall/js."].iter().any(|start| import.name().starts_with(start))
        },
        "the module was made by Go for JavaScript (GOOS=js); 'GOOS=wasip1 GOARCH=wasm go build' \
         makes a program",
    ),
    mark(
        |import| import.name().starts_with("napi_") || import.module() == "napi",
        "the module is an addon for Node.js, which has to provide Node-API to it",
    ),
    mark(
        |import| {
            let name = import.name();
            let of_its_own = ["emscripten_", "_emscripten_", "invoke_", "__syscall_", "_embind_"];
            (import.module() == "env" && of_its_own.iter().any(|start| name.starts_with(start)))
                || (import.module() == "a" && name.len() <= 2)
        },
        "the module was made by Emscripten, for JavaScript of its own; with '-sSTANDALONE_WASM' \
         it makes programs",
    ),
    mark(
        |import| {
            let is_abort = |ty: &FuncType| {
                ty.results().next().is_none()
                    && ty.params().len() == 4
                    && ty.params().all(|ty| ty.is_i32())
            };
            import.module() == "env"
                && import.name() == "abort"
                && matches!(import.ty(), ExternType::Func(ty) if is_abort(&ty))
        },
        "the module was made by AssemblyScript; '--use abort=' leaves the import out when it is \
         compiled, '--unknown-imports trap' runs it until it aborts",
    ),
    mark(
        |import| {
            import.module().starts_with("cm32p2")
                || (import.module().contains(':') && import.module().contains('/'))
        },
        "the module is the core of a component: 'wasm-tools component new' makes that of it",
    ),
    mark(
        |import| import.module().starts_with("wasix_"),
        "the module was made for WASIX, which is not WASI and has functions of its own",
    ),
    mark(
        |import| import.module() == "dart2wasm" || import.module() == "js_code",
        "the module was made for JavaScript, which has to provide its imports",
    ),
];

#[cfg(test)]
mod tests {
    use zwasm::Engine;

    use super::*;

    #[test]
    fn marks() {
        for (import, expected) in [
            (r#""GOT.mem" "x" (global (mut i32))"#, Some("dynamic library")),
            (r#""env" "__memory_base" (global i32)"#, Some("dynamic library")),
            (r#""./pkg_bg.js" "f" (func)"#, Some("wasm-bindgen")),
            (r#""env" "__wbindgen_throw" (func)"#, Some("wasm-bindgen")),
            (r#""gojs" "runtime.wasmExit" (func)"#, Some("GOOS=js")),
            (r#""env" "napi_create_object" (func)"#, Some("Node.js")),
            (r#""env" "emscripten_date_now" (func)"#, Some("Emscripten")),
            (r#""a" "b" (func)"#, Some("Emscripten")),
            (r#""env" "abort" (func (param i32 i32 i32 i32))"#, Some("AssemblyScript")),
            (r#""env" "abort" (func)"#, None),
            (r#""wasi:cli/stdin@0.2.0" "get-stdin" (func)"#, Some("core of a component")),
            (r#""wasix_32v1" "fd_dup" (func)"#, Some("WASIX")),
            (r#""env" "log" (func)"#, None),
        ] {
            let module = Module::new(&Engine::default(), format!("(module (import {import}))"));
            let told = made_for(&module.unwrap());
            assert_eq!(told.is_some(), expected.is_some(), "{import}");
            let part = expected.unwrap_or_default();
            assert!(told.unwrap_or_default().contains(part), "{import}: {told:?}");
        }
    }
}
