//! What the compiler makes of small modules, kept beside them and reviewed like code.
//!
//! Each file of `filetests/` is a module with, below the marker line, the register
//! IR and the machine code of its functions as comments. The line `;;! flags` names
//! settings of the engine, if there are any (`optimize`, which comes first, asks for code
//! of the optimizing compiler), and `;;! targets` instruction sets with the
//! features to use, each after a `+`. Offsets in the code are those of builds with the
//! optimizing compiler, whose records have more fields, so these alone run this. A file with a
//! line `;;! ssa` has the SSA form of its functions instead, after each pass that the line
//! names, `build` being the form before all of them. Run with `ZWASM_BLESS=1` to write what
//! is found into the files:
//! `ZWASM_BLESS=1 cargo test -p zwasm --test internals filetests`.
#![cfg(all(
    feature = "gc",
    feature = "optimize",
    feature = "simd",
    feature = "threads",
    feature = "trace",
    feature = "wat",
    target_arch = "x86_64",
    target_os = "linux"
))]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use zwasm::{Config, Engine, Module, Strategy};

const MARKER: &str = ";;! expected\n";

/// More functions than any of the modules has.
const FUNCTIONS: u32 = 16;

fn config(module: &str) -> Config {
    let mut config = Config::new();
    let flags = module.lines().find_map(|line| line.strip_prefix(";;! flags")).unwrap_or_default();
    for flag in flags.split_whitespace() {
        match flag {
            "no-guards" => config.guard_pages(false),
            "no-inlining" => config.inlining(false),
            "fuel" => config.consume_fuel(true),
            "epoch" => config.epoch_interruption(true),
            "optimize" => config.strategy(Strategy::Optimizing),
            _ => panic!("unknown flag '{flag}'"),
        };
    }
    config
}

/// A line of a listing without its offsets, and without where a store's fields lie, which
/// move with any change of it: those that are far from its beginning, and the limit of the
/// stack.
fn stable(line: &str) -> String {
    let mut text = line.trim_start();
    while let Some((first, rest)) = text.split_once(' ')
        && (first.starts_with('@') || first.starts_with("0x"))
    {
        text = rest.trim_start();
    }
    if text.starts_with("cmpq rsp, [") {
        text = "cmpq rsp, [limit]";
    }
    if let Some((before, rest)) = text.split_once("[r11 + 0x")
        && let Some((digits, after)) = rest.split_once(']')
        && digits.len() > 2
    {
        return format!("  {before}[r11 + field]{after}");
    }
    if text.ends_with(':') { String::from(text) } else { format!("  {text}") }
}

/// The targets that a module names, or the floors of all.
fn targets(source: &str) -> impl Iterator<Item = &str> {
    let named = source.lines().find_map(|line| line.strip_prefix(";;! targets "));
    named.unwrap_or("x64 aarch64").split_whitespace()
}

/// The passes that a module names, if it is for the optimizing compiler.
fn passes(source: &str) -> Option<&str> {
    source.lines().find_map(|line| line.strip_prefix(";;! ssa "))
}

/// The SSA form of a module's functions after some passes.
fn forms(module: &Module, passes: &str) -> String {
    let mut out = String::new();
    for func in 0..FUNCTIONS {
        for pass in passes.split_whitespace() {
            let Ok(text) = module.ssa(func, Some(pass)) else { continue };
            let _ = writeln!(out, ";; {pass}: {}", text.trim_end().replace('\n', "\n;; "));
        }
    }
    out
}

/// What is expected below a module.
fn listings(source: &str) -> String {
    let engine = Engine::new(&config(source)).unwrap();
    let module = Module::new(&engine, source).unwrap();
    if let Some(passes) = passes(source) {
        return forms(&module, passes);
    }
    let mut out = String::new();
    for func in 0..FUNCTIONS {
        let Ok(regir) = module.regir(func) else { continue };
        for line in regir.lines() {
            let _ = writeln!(out, "{}", format!(";; {line}").trim_end());
        }
        out.push_str(";;\n");
        for target in targets(source) {
            let _ = writeln!(out, ";; {target}");
            for line in module.machine_code_for(func, target).unwrap().lines().skip(1) {
                let _ = writeln!(out, ";; {}", stable(line));
            }
        }
    }
    out
}

#[test]
fn modules_become_the_code_below_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filetests");
    let bless = std::env::var_os("ZWASM_BLESS").is_some();
    let (mut count, mut wrong) = (0, String::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::read_to_string(&path).unwrap();
        let (module, expected) = file.split_once(MARKER).unwrap_or((&file, ""));
        let found = listings(module);
        count += 1;
        if bless {
            fs::write(&path, format!("{}\n{MARKER}{found}", module.trim_end())).unwrap();
        } else if found != expected {
            let lines = found.lines().zip(expected.lines());
            let same = lines.take_while(|(found, expected)| found == expected).count();
            let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
            let _ = writeln!(
                wrong,
                "{}: line {} below the module\n  is  {}\n  not {}",
                path.display(),
                same + 1,
                line(&found),
                line(expected)
            );
        }
    }
    assert!(count >= 12, "only {count} files were found");
    assert!(wrong.is_empty(), "\n{wrong}look, then bless with ZWASM_BLESS=1");
}

#[test]
fn listings_hide_what_changes_and_nothing_else() {
    assert_eq!(stable("0x00010  movq rbx, [rsi]"), "  movq rbx, [rsi]");
    assert_eq!(stable("    @0x24 0x00010  L2:"), "L2:");
    assert_eq!(stable("0x00010  word 0x48"), "  word 0x48");
    assert_eq!(stable("0x00010  cmpq rsp, [r11 + 0x48]"), "  cmpq rsp, [limit]");
    assert_eq!(stable("0x00010  movq r11, [r11 + 0x518]"), "  movq r11, [r11 + field]");
    assert_eq!(stable("0x00010  callq [r11 + 0x8]"), "  callq [r11 + 0x8]");
}
