//! Asks the linker for compact relocations.
//!
//! The interpreter's handler tables hold thousands of addresses that a
//! position-independent program has to relocate at start; packed, they take a
//! hundredth of the room. Linkers that do not know the option ignore it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let var = |name| std::env::var(name).unwrap_or_default();
    if var("CARGO_CFG_TARGET_OS") == "linux" && var("CARGO_CFG_TARGET_ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
