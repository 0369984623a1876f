//! What debuggers and people who look for bugs get to see.

#[cfg(all(feature = "gdb", target_os = "linux", target_arch = "x86_64"))]
use std::process::Command;

#[cfg(all(feature = "addr2line", feature = "trace"))]
use crate::support::zwasm;
use crate::support::{Dir, line};

/// What a program that was stopped left behind is a module itself.
#[test]
fn core_dumps() {
    let guest = r#"(module $guest
      (memory (export "memory") 3)
      (global $g (mut i64) (i64.const 0))
      (global f64 (f64.const 2.5))
      (data (i32.const 70000) "remains")
      (func $inner (global.set $g (i64.const -42)) (i32.store (i32.const 8) (i32.const 99))
        unreachable)
      (func (export "_start") (call $inner)))"#;
    let dir = Dir::with(&[("guest.wat", guest)]);
    for engine in ["interp", "baseline", "auto"] {
        let words = format!("guest.wat --engine {engine} --coredump core.wasm --overwrite");
        assert_eq!(line(&dir, &words).fails(1), "trap: unreachable");
        line(&dir, "validate core.wasm").prints("core.wasm: valid\n");
        let text = line(&dir, "inspect core.wasm").text();
        for part in ["\"core\"", "\"coremodules\"", "\"coreinstances\"", "\"corestack\""] {
            assert!(text.contains(&format!("custom {part}: ")), "no {part} in {text}");
        }
        assert!(text.contains("own memory 0: 192 KB to any size"), "{text}");
        let bytes = std::fs::read(dir.path().join("core.wasm")).unwrap();
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(has(b"remains") && has(b"guest.wat") && has(b"\x05guest"));
        // Two frames: their instance, function, offset in it, no locals and no stack.
        assert!(has(b"\x09corestack\x00\x04main\x02\x00\x00\x00"), "{text}");
        // Of three pages of memory one is empty.
        assert!(text.contains("data: 2 entries, "), "{text}");
        assert!(has(&[0x7e, 1, 0x42, 0x56, 0x0b]), "the global of -42");
    }
    line(&dir, "guest.wat --coredump core.wasm").fails_saying(1, &["'core.wasm'", "'--overwrite'"]);
    // Who ends by itself leaves nothing.
    dir.write("exit.wat", crate::guests::exit(3));
    assert_eq!(line(&dir, "exit.wat --coredump exit.core").code, Some(3));
    assert!(!dir.path().join("exit.core").exists());
    let unwritten = line(&dir, "guest.wat --coredump no/core");
    assert!(unwritten.stderr.starts_with("error: trap: unreachable\n"), "{unwritten:?}");
    let note = "note: option '--coredump': cannot write 'no/core': ";
    assert!(unwritten.stderr.contains(note), "{unwritten:?}");
}

#[test]
fn names_are_those_of_the_source() {
    let module = r#"(module
      (func $_ZN3app4work17h0123456789abcdefE unreachable)
      (func $_ZN5Shape4drawEv (call 0))
      (func $plain (export "_start") (call 1)))"#;
    let dir = Dir::with(&[("m.wat", module)]);
    let outcome = line(&dir, "m.wat");
    for name in ["<app::work>", "<Shape::draw>", "<plain>"] {
        assert!(outcome.stderr.contains(name), "no {name} in {outcome:?}");
    }
}

/// What a debugger prints that runs the command; none, and a message, where it is not there
/// or may not trace processes.
#[cfg(all(feature = "gdb", target_os = "linux", target_arch = "x86_64"))]
fn debugged(debugger: &str, words: &[&str], dir: &Dir) -> Option<String> {
    let found = Command::new(debugger).arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("passed over: there is no {debugger}");
        return None;
    }
    let output = Command::new(debugger).args(words).current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if ["ptrace", "personality", "not permitted"].iter().any(|word| errors.contains(word)) {
        println!("passed over: {errors}");
        return None;
    }
    Some(text + &errors)
}

/// GDB stops in a function of the guest and names it, and its caller.
#[cfg(all(feature = "gdb", target_os = "linux", target_arch = "x86_64"))]
#[test]
fn compiled_functions_in_gdb() {
    let dir = Dir::with(&[(
        "m.wat",
        r#"(module (func $wasm_inner (param i32) (result i32)
             (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7))
               (else (call $wasm_inner (i32.sub (local.get 0) (i32.const 1))))))
           (func $wasm_outer (export "_start") (drop (call $wasm_inner (i32.const 30)))))"#,
    )]);
    for engine in ["baseline", "jit"] {
        let words =
            ["-nx", "-batch", "-ex", "set breakpoint pending on", "-ex", "break wasm_inner"];
        let stop = ["-ex", "run", "-ex", "info symbol $pc", "-ex", "kill", "--args"];
        let run = [env!("CARGO_BIN_EXE_zwasm"), "m.wat", "--debug-info", "--engine", engine];
        let words = [&words[..], &stop, &run].concat();
        let Some(text) = debugged("gdb", &words, &dir) else { return };
        assert!(text.contains("Breakpoint 1, 0x"), "{engine}: {text}");
        assert!(text.contains("in wasm_inner ()"), "{engine}: {text}");
        assert!(text.lines().any(|line| line.starts_with("wasm_inner ")), "{text}");
    }
}

/// A guest with lines of source, and that source. The call in `$wasm_inner` is line 12.
#[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux", target_arch = "x86_64"))]
fn guest_with_lines() -> Dir {
    // The tables of a unit of version 4: one file, and rows that begin statements.
    let mut header = vec![1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0];
    header.extend(b"guest.c\0\0\0\0\0");
    // From the first instruction on, which is behind the number of bodies and the body's size
    // and locals: lines 10 to 13 of one function, and line 20 of the next.
    let mut program = vec![0, 5, 2, 3, 0, 0, 0, 3, 9, 1];
    for (bytes, lines) in [(8, 1), (5, 1), (2, 1), (4, 7)] {
        program.extend([2, bytes, 3, lines, 1]);
    }
    program.extend([2, 6, 0, 1, 1]);
    let mut unit = vec![4, 0];
    unit.extend((header.len() as u32).to_le_bytes());
    unit.extend([header, program].concat());
    let section = [(unit.len() as u32).to_le_bytes().to_vec(), unit].concat();
    let section: String = section.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let guest = format!(
        r#"(module (func $wasm_inner (param i32) (result i32)
             (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7))
               (else (call $wasm_inner (i32.sub (local.get 0) (i32.const 1))))))
           (func $wasm_outer (export "_start") (drop (call $wasm_inner (i32.const 30))))
           (@custom ".debug_line" "{section}"))"#
    );
    let source: String = (1..=30).map(|line| format!("text of line {line}\n")).collect();
    Dir::with(&[("m.wat", &guest), ("guest.c", &source)])
}

/// GDB stops at a line, shows the source around it and knows where lines begin.
#[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux", target_arch = "x86_64"))]
#[test]
fn lines_of_compiled_code_in_gdb() {
    let dir = guest_with_lines();
    for engine in ["baseline", "jit"] {
        let words = ["-nx", "-batch", "-ex", "set breakpoint pending on"];
        let stop = ["-ex", "break guest.c:12", "-ex", "run", "-ex", "bt", "-ex", "list"];
        let more = ["-ex", "info line guest.c:20", "-ex", "info source", "-ex", "kill", "--args"];
        let run = [env!("CARGO_BIN_EXE_zwasm"), "m.wat", "--debug-info", "--engine", engine];
        let words = [&words[..], &stop, &more, &run].concat();
        let Some(text) = debugged("gdb", &words, &dir) else { return };
        for part in [
            " () at guest.c:12\n12\ttext of line 12\n",
            "#0  wasm_",
            "\n8\ttext of line 8\n",
            "\n16\ttext of line 16\n",
            // `$wasm_outer` may begin with what it has inlined.
            "Line 20 of \"guest.c\" starts at address ",
            "Source language is c.",
        ] {
            assert!(text.contains(part), "{engine}: no {part:?} in {text}");
        }
    }
}

/// So does LLDB, once it is told to ask for code that is made at run time.
#[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux", target_arch = "x86_64"))]
#[test]
fn lines_of_compiled_code_in_lldb() {
    let dir = guest_with_lines();
    for engine in ["baseline", "jit"] {
        let words = ["--no-lldbinit", "-b", "-o", "settings set plugin.jit-loader.gdb.enable on"];
        let stop = ["-o", "breakpoint set -f guest.c -l 12", "-o", "run", "-o", "bt", "-o", "kill"];
        let run = ["--", env!("CARGO_BIN_EXE_zwasm"), "m.wat", "--debug-info", "--engine", engine];
        let words = [&words[..], &stop, &run].concat();
        let Some(text) = debugged("lldb", &words, &dir) else { return };
        assert!(text.contains(" at guest.c:12\n"), "{engine}: {text}");
        assert!(text.contains("-> 12  \ttext of line 12\n"), "{engine}: {text}");
    }
}

/// Which access it was is said below what happened.
#[test]
fn faults_in_memories() {
    let module = r#"(module (memory 1) (memory 2)
      (func (export "first") (drop (i32.load (i32.const 0x12345))))
      (func (export "second") (i64.store 1 (i32.const 0x1fffc) (i64.const 0))))"#;
    let dir = Dir::with(&[("m.wat", module)]);
    for (function, fault) in [
        ("first", "0x12345 in linear memory of size 0x10000\n"),
        ("second", "0x20000 in linear memory of size 0x20000 (memory 1)\n"),
    ] {
        for engine in ["interp", "baseline", "auto"] {
            let outcome = line(&dir, &format!("m.wat --invoke {function} --engine {engine}"));
            let expected = format!(
                "error: trap: out of bounds memory access\n  memory fault at wasm address {fault}  at"
            );
            assert!(outcome.stderr.starts_with(&expected), "{engine}: {outcome:?}");
        }
    }
}

/// Where a program was compiled with debugging information, backtraces and profiles name
/// lines of its source.
#[cfg(all(feature = "addr2line", feature = "trace"))]
#[test]
fn lines_of_source() {
    let Some(root) = crate::programs::corpus("realworld") else { return };
    let dir = Dir::new();
    for (name, end) in
        [("c_matrix_multiply", ".c:"), ("cpp_map_ops", ".cpp:"), ("tinygo_sort", ".go:")]
    {
        let program = root.join(format!("wasm/{name}.wasm"));
        let program = program.to_str().unwrap();
        // Somewhere in the program it is stopped.
        let mut places = Vec::new();
        for fuel in (1..40).map(|n| n * 2500) {
            let outcome = zwasm([program, "--fuel", &fuel.to_string()]).run();
            places.extend(
                outcome
                    .stderr
                    .lines()
                    .filter(|line| line.contains(", offset 0x"))
                    .map(str::to_owned),
            );
        }
        assert!(places.iter().any(|line| line.contains(end)), "{name}: {places:#?}");
    }
    let program = root.join("wasm/c_matrix_multiply.wasm");
    let words = [program.to_str().unwrap(), "--engine", "interp", "--profile=p.json"];
    assert_eq!(zwasm(words).dir(dir.path()).run().code, Some(0));
    let profile = std::fs::read_to_string(dir.path().join("p.json")).unwrap();
    assert!(profile.contains("\"functions\""), "{profile}");
}
