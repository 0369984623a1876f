//! Makes the engine compile every function of a valid module without running
//! what the function does.
//!
//! Functions are compiled when they are first called, and nothing would end an
//! endless loop in one. So the module is rewritten: each body begins with
//! `(if (i32.const 1) (then unreachable))`, which keeps the rest alive for the
//! compiler, each function is exported, and the start function is dropped. A
//! call must then end in exactly that trap.

use super::frames::{Section, functions, id, leb, push_framed, push_leb, sections};
use zwasm::{
    Engine, Error, ErrorKind, Extern, ExternType, Func, Instance, Memory, Module, Store, Tag, Trap,
    Val,
};

/// `i32.const 1`, `if`, `unreachable`, `end`.
const GUARD: [u8; 6] = [0x41, 1, 0x04, 0x40, 0x00, 0x0b];
/// Functions looked at in one module.
const MOST: usize = 500;

/// Calls each function of `module`, whose binary is `bytes`, up to its guard.
/// Imports are replaced by stubs; a module that needs one that cannot be made
/// is passed over. Returns the number of functions called.
///
/// # Errors
/// When a call ends in another way than it must; the text says how.
pub(super) fn probe(engine: &Engine, module: &Module, bytes: &[u8]) -> Result<usize, String> {
    let imported =
        module.imports().filter(|import| matches!(import.ty(), ExternType::Func(_))).count();
    let Some((guarded, count)) = guard(bytes, imported) else {
        return Ok(0);
    };
    let Ok(module) = Module::from_binary(engine, &guarded) else {
        return Ok(0);
    };
    let mut store = Store::new(engine, ());
    let imports = module.imports().map(|import| stub(&mut store, import.ty()));
    let Some(imports) = imports.collect::<Option<Vec<Extern>>>() else {
        return Ok(0);
    };
    let Ok(instance) = Instance::new(&mut store, &module, &imports) else {
        return Ok(0);
    };
    let mut called = 0;
    for index in imported..imported + count {
        let Some(function) = instance.get_func(&mut store, &index.to_string()) else {
            return Err(format!("function {index} is not exported"));
        };
        let ty = function.ty(&store);
        let Some(arguments) =
            ty.params().map(|ty| ty.default_value()).collect::<Option<Vec<Val>>>()
        else {
            continue;
        };
        let mut results = vec![Val::I32(0); ty.results().len()];
        let ended = function.call(&mut store, &arguments, &mut results);
        called += 1;
        match ended {
            Err(error) if orderly(&error) => {}
            Err(error) => {
                return Err(format!("guarded function {index} ended with: {}", error.summary()));
            }
            Ok(()) => return Err(format!("guarded function {index} returned")),
        }
    }
    Ok(called)
}

/// Whether a call of a guarded function may end so.
fn orderly(error: &Error) -> bool {
    match error.trap() {
        Some(trap) => matches!(trap, Trap::UnreachableCodeReached | Trap::StackOverflow),
        None => matches!(
            error.kind(),
            ErrorKind::Unsupported | ErrorKind::Limit | ErrorKind::OutOfMemory
        ),
    }
}

fn stub(store: &mut Store<()>, ty: ExternType) -> Option<Extern> {
    match ty {
        ExternType::Func(ty) => Some(Func::new(store, ty, |_, _, _| Ok(())).into()),
        ExternType::Table(ty) => ty.default_value(store).ok().map(Into::into),
        ExternType::Memory(ty) => Memory::new(store, ty).ok().map(Into::into),
        ExternType::Global(ty) => ty.default_value(store).ok().map(Into::into),
        ExternType::Tag(ty) => Tag::new(store, &ty).ok().map(Into::into),
    }
}

/// The module with its functions guarded and exported under their indices,
/// and the number of them.
fn guard(bytes: &[u8], imported: usize) -> Option<(Vec<u8>, usize)> {
    let found = sections(bytes);
    let code = found.iter().find(|section| section.id == id::CODE)?;
    let (code, count) = guard_code(&bytes[code.body.clone()])?;
    let mut exports = Vec::new();
    push_leb(&mut exports, count);
    for index in imported..imported + count {
        push_framed(&mut exports, index.to_string().as_bytes());
        exports.push(0);
        push_leb(&mut exports, index);
    }
    let mut guarded = bytes.get(..8)?.to_vec();
    let mut exported = false;
    for Section { id, start, body } in found {
        let after_exports = [id::ELEMENT, id::CODE, id::DATA, id::DATA_COUNT].contains(&id);
        if after_exports && !exported {
            exported = true;
            guarded.push(id::EXPORT);
            push_framed(&mut guarded, &exports);
        }
        match id {
            id::EXPORT | id::START => {}
            id::CODE => {
                guarded.push(id::CODE);
                push_framed(&mut guarded, &code);
            }
            _ => guarded.extend_from_slice(&bytes[start..body.end]),
        }
    }
    Some((guarded, count))
}

/// The code section with its functions guarded, and how many are to be looked
/// at.
fn guard_code(code: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (count, _) = leb(code, 0)?;
    let bodies = functions(code);
    let mut guarded = Vec::with_capacity(code.len() + 8 * count.min(bodies.len()));
    push_leb(&mut guarded, count);
    for (_, body) in &bodies {
        let body = &code[body.clone()];
        let (locals, operators) = body.split_at(locals_end(body)?);
        push_framed(&mut guarded, &[locals, &GUARD, operators].concat());
    }
    Some((guarded, count.min(MOST)))
}

/// Where the declarations of local variables end.
fn locals_end(body: &[u8]) -> Option<usize> {
    let (groups, mut at) = leb(body, 0)?;
    for _ in 0..groups {
        (_, at) = leb(body, at)?;
        // A type of one byte, or a reference with its heap type behind it.
        let reference = matches!(body.get(at)?, 0x63 | 0x64);
        at += 1;
        if reference {
            (_, at) = leb(body, at)?;
        }
    }
    (at <= body.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe_text(text: &str) -> Result<usize, String> {
        let engine = Engine::default();
        let buffer = wast::parser::ParseBuffer::new(text).unwrap();
        let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        probe(&engine, &module, &bytes)
    }

    #[test]
    fn endless_functions_are_compiled_and_not_run() {
        let called = probe_text(
            r#"(module
              (import "a" "f" (func $f (param i64) (result i32)))
              (import "a" "g" (global $g i64))
              (import "a" "t" (table 1 funcref))
              (import "a" "m" (memory 1))
              (type $void (func))
              (func $loop (export "e") (local i32 f64) (local (ref null $void)) (loop (br 0)))
              (func (param externref) (result i32) (call $f (global.get $g)))
              (elem (i32.const 0) $loop)
              (data (i32.const 0) "x")
              (start $loop))"#,
        );
        assert_eq!(called, Ok(2));
    }

    #[test]
    fn what_cannot_be_given_is_passed_over() {
        assert_eq!(probe_text(r#"(module (func (param (ref func))) (func))"#), Ok(1));
        assert_eq!(probe_text(r#"(module (import "a" "t" (table 0 (ref func))) (func))"#), Ok(0));
        assert_eq!(probe_text("(module)"), Ok(0));
    }
}
