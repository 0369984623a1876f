//! Decides how the interpreter dispatches, and whether there is a compiler.
//!
//! A handler that ends in a call with its own signature becomes a jump where
//! LLVM's tail-call elimination runs (optimisation level 2 and up, `s`, `z`) and
//! all arguments travel in registers. Elsewhere a loop calls the handlers, and
//! also with debug assertions, whose checks call out of the handlers.
//!
//! Where there is no compiler, the feature `jit` changes nothing, and where there is no
//! optimizing one, neither does the feature `optimize`.

/// The processors and systems that there is a compiler for. `Cargo.toml` has the same
/// list for what it needs.
const COMPILED: &[(&str, &str)] =
    &[("x86_64", "linux"), ("x86_64", "windows"), ("aarch64", "linux"), ("aarch64", "macos")];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(tail_dispatch)");
    println!("cargo::rustc-check-cfg=cfg(compiler)");
    println!("cargo::rustc-check-cfg=cfg(optimizer)");
    let var = |name| std::env::var(name).unwrap_or_default();
    let optimised = matches!(var("OPT_LEVEL").as_str(), "2" | "3" | "s" | "z");
    let listed = matches!(var("CARGO_CFG_TARGET_ARCH").as_str(), "x86_64" | "aarch64");
    let checks = std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some();
    if optimised && listed && !checks {
        println!("cargo::rustc-cfg=tail_dispatch");
    }
    let target = (var("CARGO_CFG_TARGET_ARCH"), var("CARGO_CFG_TARGET_OS"));
    let compiled = COMPILED.contains(&(&*target.0, &*target.1));
    if compiled && std::env::var_os("CARGO_FEATURE_JIT").is_some() {
        println!("cargo::rustc-cfg=compiler");
        if target.0 == "x86_64" && std::env::var_os("CARGO_FEATURE_OPTIMIZE").is_some() {
            println!("cargo::rustc-cfg=optimizer");
        }
    }
}
