//! What a module's file may begin with, and what is said of files that are none.

use crate::support::{Dir, IS_A_DIRECTORY, Outcome, assemble, line, zwasm};

const TEXT: &str = "(module\n  (func (export \"f\") (result i32) i32.const 7))";

/// Ways to write the same text.
fn spellings() -> Vec<(&'static str, Vec<u8>)> {
    let spelt = |before: &str| [before.as_bytes(), TEXT.as_bytes()].concat();
    vec![
        ("mark.wat", spelt("\u{feff}")),
        ("script.wat", spelt("#!/usr/bin/env zwasm\n")),
        ("script", spelt("#!/usr/bin/env -S zwasm run --allow-all\n;; a comment\n")),
        ("dos", spelt("#!zwasm\r\n\r\n")),
        ("both", spelt("\u{feff}#!zwasm\n(; a comment ;) ")),
        ("mark.wasm", spelt("\u{feff}\n")),
    ]
}

#[test]
fn texts_may_begin_with_a_mark_or_a_command() {
    let app = r#"(import "m" "f" (func $f (result i32)))
        (func (export "g") (result i32) (i32.add (i32.const 1) (call $f)))"#;
    let dir = Dir::with(&[("app.wat", app)]);
    for (name, text) in spellings() {
        dir.write(name, &text);
        line(&dir, &format!("{name} --invoke f")).prints("7\n");
        line(&dir, &format!("run {name} --json --invoke f")).prints("{\"results\": [7]}\n");
        line(&dir, &format!("validate {name}")).prints(&format!("{name}: valid\n"));
        assert!(line(&dir, &format!("inspect {name}")).text().contains("f: func (result i32)"));
        line(&dir, &format!("app.wat --link m={name} --invoke g")).prints("8\n");
        let batch = zwasm([name, "--batch"]).dir(dir.path()).stdin("\u{feff}f\nf\n").run();
        batch.prints("7\n7\n");
        zwasm(["-", "--invoke", "f"]).stdin(text).run().prints("7\n");
    }
}

#[cfg(unix)]
#[test]
fn a_module_may_be_a_script() {
    use std::os::unix::fs::PermissionsExt;
    let binary = env!("CARGO_BIN_EXE_zwasm");
    let text = format!(
        r#"#!{binary}
        (module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func (export "_start") (call $exit (i32.const 42))))"#
    );
    let dir = Dir::new();
    let path = dir.write("program", text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(std::process::Command::new(path).status().unwrap().code(), Some(42));
}

#[test]
fn places_are_those_in_the_file() {
    let dir = Dir::new();
    for (before, place) in [
        ("\u{feff}", "m.wat:2:10: "),
        ("#!/usr/bin/env zwasm\n", "m.wat:3:10: "),
        ("\u{feff}#!/usr/bin/env zwasm\r\n", "m.wat:3:10: "),
        ("#!/usr/bin/env zwasm\n\n\n", "m.wat:5:10: "),
    ] {
        dir.write("m.wat", format!("{before}(module\n  (func (bad)))"));
        line(&dir, "m.wat").fails_saying(2, &[place, "unknown operator", "`(func (bad)))`"]);
        line(&dir, "validate m.wat").fails_saying(2, &[place]);
        line(&dir, "inspect m.wat").fails_saying(2, &[place]);
    }
    dir.write("m.wat", "\u{feff}(mod)");
    line(&dir, "m.wat").fails_saying(2, &["m.wat:1:2: "]);
}

fn file(name: &str, bytes: impl AsRef<[u8]>) -> Outcome {
    let dir = Dir::new();
    std::fs::write(dir.path().join(name), bytes).unwrap();
    for command in ["validate", "inspect"] {
        line(&dir, &format!("{command} {name}")).fails(2);
    }
    line(&dir, name)
}

/// A build without components says what they are.
#[cfg(not(feature = "component"))]
#[test]
fn components_are_named() {
    let parts = [
        "expected a WebAssembly module",
        "given a WebAssembly component",
        "wasm32-wasip1",
        "wasm-tools",
    ];
    for text in ["(component)", ";; c\n ( component $c (core module))", "\u{feff}(component)"] {
        file("c.wat", text).fails_saying(2, &parts);
        file("c", text).fails_saying(2, &parts);
    }
    for version in [0xd, 0xc, 0xa, 1] {
        let binary = [b'\0', b'a', b's', b'm', version, 0, 1, 0];
        file("c.wasm", binary).fails_saying(2, &parts);
    }
    let dir = Dir::with(&[("c.wat", "(component)"), ("m.wat", "(module)")]);
    let outcome = line(&dir, "validate --json c.wat");
    let start =
        "{\"file\": \"c.wat\", \"valid\": false, \"error\": \"expected a WebAssembly module";
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.text().starts_with(start), "{outcome:?}");
    line(&dir, "m.wat --link c=c.wat").fails_saying(2, &["component", "--link c=c.wat"]);
    line(&dir, "c.wat --batch").fails_saying(2, &["component"]);
}

/// Components are known by how they begin, binary or text.
#[cfg(feature = "component")]
#[test]
fn components_are_known() {
    for text in ["(component)", ";; c\n ( component $c (core module))", "\u{feff}(component)"] {
        for name in ["c.wat", "c"] {
            let dir = Dir::new();
            std::fs::write(dir.path().join(name), text).unwrap();
            line(&dir, &format!("validate {name}")).prints(&format!("{name}: valid\n"));
            line(&dir, name).fails_saying(1, &["no program"]);
        }
    }
    for version in [0xc, 0xa, 1] {
        file("c.wasm", [b'\0', b'a', b's', b'm', version, 0, 1, 0])
            .fails_saying(2, &["invalid component", "version"]);
    }
    file("c.wasm", b"\0asm\x0d\0\x01").fails(2);
}

#[test]
fn foreign_files_are_named() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    };
    let cwasm = [&b"\x7fELF\x02\x01\x01"[..], &[0; 100], b".wasmtime.engine\0"].concat();
    let tar = [&b"m.wasm"[..], &[0; 251], b"ustar\0"].concat();
    let binary = assemble("(module)");
    for (name, bytes, parts) in [
        ("m.wasm", b"".to_vec(), &["an empty file"][..]),
        ("m.wat", b"".to_vec(), &["an empty file"]),
        ("m.wasm", b" \n".to_vec(), &["nothing but white space"]),
        ("m.wasm", b"\0".to_vec(), &["ends after 1 of its first 8 bytes"]),
        ("m.wasm", binary[..4].to_vec(), &["ends after 4 of its first 8 bytes"]),
        ("m.wasm", binary[..7].to_vec(), &["ends after 7 of its first 8 bytes"]),
        ("m.wasm", b"\0asm\x02\0\0\0".to_vec(), &["a binary of version 2", "version 1"]),
        ("m.wasm", b"\0asm\0\0\0\x01".to_vec(), &["a binary of version 16777216"]),
        ("ls", b"\x7fELF\x02\x01\x01\0".to_vec(), &["an ELF file", "compile"]),
        ("m.cwasm", cwasm, &["wasmtime", ".cwasm"]),
        ("m.exe", b"MZ\x90\0".to_vec(), &["a program for Windows"]),
        ("m", b"\xcf\xfa\xed\xfe\x07\0\0\x01".to_vec(), &["a program for macOS"]),
        ("m.wasm", b"\x1f\x8b\x08\0".to_vec(), &["compressed with gzip", "gunzip"]),
        ("m.wat", b"\x1f\x8b\x08\0".to_vec(), &["compressed with gzip", "gunzip"]),
        ("m.zip", b"PK\x03\x04\x14\0".to_vec(), &["a ZIP archive", "unzip"]),
        ("m.zst", b"\x28\xb5\x2f\xfd\x24".to_vec(), &["compressed with zstd"]),
        ("m.tar", tar, &["a tar archive"]),
        ("libm.a", b"!<arch>\nx".to_vec(), &["a static library"]),
        ("m.html", b"\n<!DOCTYPE html><html>".to_vec(), &["an HTML page", "address"]),
        ("m.html", b"<HTML><body>".to_vec(), &["an HTML page"]),
        ("m.xml", b"<?xml version='1.0'?>".to_vec(), &["HTML or XML"]),
        ("m.js", b"const x = 1;".to_vec(), &["source code", "JavaScript"]),
        ("m.js", b"// module\nrun()".to_vec(), &["source code", "JavaScript"]),
        ("m.json", b"{\"a\": 1}".to_vec(), &["JSON"]),
        ("m.sh", b"#!/bin/sh\necho (module)".to_vec(), &["a script for another program"]),
        ("m.wat", b"#!/bin/sh\necho".to_vec(), &["a script for another program"]),
        ("m", [b"#!zwasm\n", &binary[..]].concat(), &["a binary module behind a line '#!'"]),
        ("m", [b"\xef\xbb\xbf", &binary[..]].concat(), &["a binary module behind other bytes"]),
        ("m", [b"\n", &binary[..]].concat(), &["a binary module behind other bytes"]),
        ("m.txt", b"hello".to_vec(), &["another text", "(module"]),
        ("m.b64", b"AGFzbQEAAAA=".to_vec(), &["base64"]),
        ("m.wasm", b"version https://git-lfs.github.com/spec/v1".to_vec(), &["git lfs pull"]),
        ("m.wat", utf16("\u{feff}(module)", false), &["UTF-16", "UTF-8"]),
        ("m", utf16("\u{feff}(module)", true), &["UTF-16", "UTF-8"]),
        ("m.wat", utf16("(module)", false), &["UTF-16", "UTF-8"]),
        ("m", utf16("\n;; c", true), &["UTF-16", "UTF-8"]),
        ("m.bin", b"\x80\x81\x82\x83\x84".to_vec(), &["the bytes 80 81 82 83", "00 61 73 6d"]),
    ] {
        let outcome = file(name, &bytes);
        outcome.fails_saying(2, parts);
        outcome.fails_saying(2, &["invalid module: this is ", "binary (.wasm) or text (.wat): "]);
    }
    let cut = assemble("(module (func) (func (export \"f\")))");
    let cut = file("m.wasm", &cut[..cut.len() - 3]);
    cut.fails_saying(2, &["unexpected end-of-file", "was the file cut short?"]);
    let dir = Dir::new();
    line(&dir, ".").fails_saying(126, &[IS_A_DIRECTORY, "one file"]);
    line(&dir, "validate .").fails_saying(126, &[IS_A_DIRECTORY, "one file"]);
}
