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

/// GDB stops in a function of the guest and names it, and its caller.
#[cfg(all(feature = "gdb", target_os = "linux", target_arch = "x86_64"))]
#[test]
fn compiled_functions_in_gdb() {
    let found = Command::new("gdb").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("passed over: there is no gdb");
        return;
    }
    let dir = Dir::with(&[(
        "m.wat",
        r#"(module (func $wasm_inner (param i32) (result i32)
             (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7))
               (else (call $wasm_inner (i32.sub (local.get 0) (i32.const 1))))))
           (func $wasm_outer (export "_start") (drop (call $wasm_inner (i32.const 30)))))"#,
    )]);
    for engine in ["baseline", "jit"] {
        let output = Command::new("gdb")
            .args(["-nx", "-batch", "-ex", "set breakpoint pending on"])
            .args(["-ex", "break wasm_inner", "-ex", "run", "-ex", "info symbol $pc"])
            .args(["-ex", "kill", "--args", env!("CARGO_BIN_EXE_zwasm"), "m.wat"])
            .args(["--debug-info", "--engine", engine])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        // Where processes may not be traced there is nothing to see.
        if errors.contains("ptrace") || errors.contains("personality") {
            println!("passed over: {errors}");
            return;
        }
        assert!(text.contains("Breakpoint 1, 0x"), "{engine}: {text}{errors}");
        assert!(text.contains("in wasm_inner ()"), "{engine}: {text}{errors}");
        assert!(text.lines().any(|line| line.starts_with("wasm_inner ")), "{text}{errors}");
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
