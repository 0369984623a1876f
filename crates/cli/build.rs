//! Asks the linker for a smaller file, in which debuggers find what they look for.
//!
//! Relocations are packed: the interpreter's handler tables hold thousands of
//! addresses that a position-independent program has to relocate at start, and
//! packed they take a hundredth of the room. Linkers that do not know the option
//! ignore it.
//!
//! Release builds abort on a panic, and the guest's frames and exceptions are none
//! of the native unwinder's business, so nothing ever reads the unwind tables; yet
//! the standard library comes with them, and they are an eighth of the file. A
//! linker script, which both LLD and GNU ld understand, discards them. Panics print
//! their message all the same. Builds with debug information keep the tables, for
//! debuggers and profilers.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SCRIPT}");
    let var = |name| std::env::var(name).unwrap_or_default();
    if var("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    // A C compiler hands on what is for the linker; the linker itself takes it as it is.
    let prefix = if var("RUSTC_LINKER").ends_with("lld") { "" } else { "-Wl," };
    for word in ["-z", "pack-relative-relocs"] {
        println!("cargo::rustc-link-arg-bins={prefix}{word}");
    }
    // Debuggers look for these by name.
    if std::env::var_os("CARGO_FEATURE_GDB").is_some() {
        for symbol in ["__jit_debug_register_code", "__jit_debug_descriptor"] {
            println!("cargo::rustc-link-arg-bins={prefix}--export-dynamic-symbol={symbol}");
        }
    }
    if var("PROFILE") == "release" && var("DEBUG") == "false" {
        let folder = var("CARGO_MANIFEST_DIR");
        println!("cargo::rustc-link-arg-bins={prefix}--script={folder}/{SCRIPT}");
    }
}

const SCRIPT: &str = "no-unwind-tables.ld";
