//! Checks the machine code of every handler: only jumps out of the hot ones.
//!
//! The handlers are found by their symbols in the test executable, so that none
//! can be forgotten, generic ones included. Run it optimised and not stripped:
//! `CARGO_PROFILE_RELEASE_STRIP=none cargo test --release -p zwasm --lib handlers`.

#[cfg_attr(target_arch = "x86_64", path = "disassembly/x64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "disassembly/aarch64.rs")]
mod decode;

use std::collections::BTreeMap;

use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// An instruction, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A call, of the address if it names one.
    Call(Option<u64>),
    Return,
    /// Saves registers that it has to preserve.
    Save,
    Other,
}

const MODULE: &str = "zwasm::interp::handlers::";

/// Handlers that call out, and what they call. Each is `#[cold]` in the source.
const COLD: &[&str] = &[
    "raise",
    "no_form",
    "control::deadline",
    "control::out_of_fuel",
    // Only in a mode that checks the interpreter.
    "check::check",
    "memory::memory_grow",
    "memory::memory_size_shared",
    "memory::out_of_bounds",
    "atomic::wait32",
    "atomic::wait64",
    "atomic::notify",
    "bulk::memory_fill",
    "bulk::memory_copy",
    "bulk::memory_init",
    "bulk::data_drop",
    "bulk::table_fill",
    "bulk::table_copy",
    "bulk::table_init",
    "bulk::elem_drop",
    "bulk::table_grow",
    "call::call_subtype",
    "call::return_call_moved",
    "call::return_call_imported",
    "call::return_call_indirect_moved",
    "call::return_call_ref_moved",
    "call::return_call_subtype",
    "call::lazy",
    "call::enter_beyond",
    "call::host_call",
    "gc::struct_new_large",
    "gc::refill",
    "gc::op",
    "globals_tables::table_set_function",
    "far::subtype_callee",
    "exceptions::throw",
    "exceptions::throw_ref",
    "observe::watch",
    "warmth::promote_entry",
    "warmth::promote_loop",
    "warmth::optimize",
];

/// What cold handlers and the encoder call. These are ordinary functions.
const CALLED: &[&str] = &[
    "stop",
    "dispatch::start",
    "memory::grow",
    "memory::refresh",
    "atomic::wait_on",
    "atomic::notify_at",
    "bulk::fill_memory",
    "bulk::copy_memory",
    "bulk::init_memory",
    "bulk::drop_data",
    "bulk::fill_table",
    "bulk::copy_table",
    "bulk::init_table",
    "bulk::drop_elements",
    "bulk::grow_table",
    "bulk::copy_in_pieces",
    "bulk::out_of_fuel",
    "control::deadline_reached",
    "control::refuel",
    "call::make_room",
    "call::prepare",
    "observe::report",
    "simd::tier",
    "gc::struct_gets",
    "gc::struct_sets",
    "gc::array_gets",
    "gc::array_sets",
    "gc::abstract_tests",
    "check::differ",
    "check::of",
    "dispatch::enter",
];

/// Handlers that save a register or two meanwhile: those that copy any number of
/// slots or fill a structure, casts that look at a display, loops of compare and
/// exchange on any memory, and writes to arrays, which do without when the whole
/// program is optimised at once.
const SAVING: &[&str] = &[
    "gc::ref_test",
    "gc::ref_cast",
    "gc::array_set",
    "call::return_call",
    "call::return_call_indirect",
    "call::return_call_ref",
    "gc::struct_new",
    "gc::struct_new_words",
    "gc::struct_new_default",
    "far::copy",
    "atomic::access_any",
];

/// Vector handlers that save a register or two, to compute an address in any memory
/// or lanes one by one; the first tier is for machines without SSE4.2.
const VECTORS: &[&str] =
    &["simd::base::", "simd::better::load", "simd::load_lane", "simd::store_lane"];

#[test]
fn handlers_end_in_jumps_and_call_nothing() {
    // The linker keeps the handlers only if something runs them.
    crate::invoke(r#"(module (func (export "f")))"#, "f", &[]).expect("the interpreter runs");
    let path = std::env::current_exe().expect("the test has a path");
    let bytes = std::fs::read(path).expect("the test can be read");
    let file = object::File::parse(&*bytes).expect("the test is an object file");
    // There are symbols for other purposes, some at the same addresses.
    let functions = || file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let names: BTreeMap<u64, String> = functions()
        .filter_map(|symbol| {
            let name = format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?));
            Some((symbol.address(), name))
        })
        .collect();
    let text = file.section_by_name(".text").expect("there is code");
    let code = text.data().expect("the code can be read");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for symbol in functions() {
        let Some(name) = names.get(&symbol.address()) else { continue };
        let Some(handler) = name.strip_prefix(MODULE) else { continue };
        let plain = handler.split('<').next().unwrap_or(handler).trim_end_matches("::");
        if plain.contains("disassembly")
            || plain.contains("tests::")
            || plain.contains("{{")
            || CALLED.contains(&plain)
        {
            continue;
        }
        let start = (symbol.address() - text.address()) as usize;
        let body = &code[start..start + symbol.size() as usize];
        let found = decode::instructions(body, symbol.address()).filter_map(|(at, kind)| {
            let fault = fault(plain, kind, &names)?;
            Some(format!("{name}: {fault} at {at:#x}"))
        });
        wrong.extend(found);
        checked += 1;
    }
    assert!(checked > 400, "only {checked} handlers have symbols; is the test stripped?");
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with an instruction of a handler, if anything.
fn fault(handler: &str, kind: Kind, names: &BTreeMap<u64, String>) -> Option<String> {
    let is = |listed: &[&str]| listed.contains(&handler);
    let starts = |with: &[&str]| with.iter().any(|start| handler.starts_with(start));
    // Where atomic accesses are calls, more has to be kept meanwhile.
    let calls = decode::ATOMICS.is_some() && handler == "atomic::access";
    let saves = is(SAVING) || starts(VECTORS) || calls;
    match kind {
        Kind::Call(target) => {
            let target = target.and_then(|target| names.get(&target));
            let target = target.map_or("?", String::as_str);
            if decode::ATOMICS.is_some_and(|start| target.starts_with(start)) {
                None
            } else if !is(COLD) {
                Some(format!("calls {target}"))
            } else {
                target.contains("panicking").then(|| format!("panics: {target}"))
            }
        }
        // Only the end of an activation, and what ends it early, go back to Rust.
        Kind::Return => (!is(COLD) && handler != "call::exit").then(|| "returns".to_owned()),
        Kind::Save => (!is(COLD) && !saves).then(|| "saves registers".to_owned()),
        Kind::Other => None,
    }
}
