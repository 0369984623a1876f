//! The C API as C and C++ use it: the examples, what the headers promise, and how an
//! installed library is found.
//!
//! Each test compiles C with the system's compiler against the headers and the
//! library. An example's header comment says how it is run and what it prints, in
//! lines `run:` and `expect:`. Without a compiler the tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use runtime::Strategy;

/// Strategies of `zwasm.h` that this build can run, as the tests' engines take them.
const STRATEGIES: &[&str] =
    if Strategy::Baseline.is_available() { &["0", "1", "2"] } else { &["0", "1"] };

/// The profile of what is shipped.
const SHIPPED: &str = "c-api";

const FEATURES: &[(&str, bool)] = &[
    ("component", cfg!(feature = "component")),
    ("gc", cfg!(feature = "gc")),
    ("jit", cfg!(feature = "jit")),
    ("optimize", cfg!(feature = "optimize")),
    ("simd", cfg!(feature = "simd")),
    ("threads", cfg!(feature = "threads")),
    ("wat", cfg!(feature = "wat")),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the library is: tests of a package do not build it, since they cannot link
/// it, so that is done here, with the profile and features of the test, unless the
/// environment says in `ZWASM_C_LIBRARY` which folder has it. In the profile `release` panics
/// cannot be caught, so that what is shipped has one of its own.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        if let Some(there) = std::env::var_os("ZWASM_C_LIBRARY") {
            return root().join(there);
        }
        let folder = folder();
        match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => build("dev", "debug"),
            Some("release") => shipped(),
            Some(name) => build(name, name),
        }
    })
}

/// What is shipped; built where it is not.
fn shipped() -> PathBuf {
    build(SHIPPED, SHIPPED)
}

/// The folder of the test's profile.
fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    test.ancestors().nth(2).expect("the test is in a target directory").to_owned()
}

/// Builds the library in a profile; the folder it is in, which has a name of its own.
fn build(profile: &str, built: &str) -> PathBuf {
    let folder = folder();
    let mut target = folder.parent().expect("so is the profile's folder");
    // For another processor everything is in a folder of the target directory.
    let triple = std::env::var("CARGO_BUILD_TARGET").unwrap_or_default();
    if !triple.is_empty() {
        target = target.parent().expect("so is the folder of that name");
    }
    let features: Vec<&str> =
        FEATURES.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--package", "zwasm-c-api", "--lib", "--no-default-features"]);
    build.args(["--profile", profile, "--features", &features.join(",")]);
    build.arg("--target-dir").arg(target).current_dir(root());
    assert!(build.status().expect("cargo starts").success(), "the library is not built");
    target.join(triple).join(built)
}

/// The C compiler; for another processor that of the name in `TARGET_CC`.
fn compiler() -> Option<&'static str> {
    static CROSS: OnceLock<Option<String>> = OnceLock::new();
    if let Some(cross) = CROSS.get_or_init(|| std::env::var("TARGET_CC").ok()) {
        return Some(cross);
    }
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let found = ["cc", "gcc", "clang"].into_iter().find(works);
    if found.is_none() {
        eprintln!("skipped: there is no C compiler (`cc`)");
    }
    found
}

/// The C++ compiler that belongs to it, if there is one.
fn compiler_of_cpp() -> Option<String> {
    let compiler = compiler()?;
    let named = compiler.strip_suffix("gcc").map(|front| format!("{front}g++"));
    let found = [named, Some("c++".to_owned()), Some("clang++".to_owned())]
        .into_iter()
        .flatten()
        .filter(|name| name != "c++" || std::env::var_os("TARGET_CC").is_none())
        .find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        eprintln!("skipped: there is no C++ compiler (`c++`)");
    }
    found
}

const C: &[&str] = &["-std=c11", "-D_POSIX_C_SOURCE=200809L"];
const CPP: &[&str] = &["-std=c++11"];

/// Compiles a file with these words before and after it; the program.
fn compile(compiler: &str, source: &Path, name: &str, before: &[&str], after: &[&str]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut command = Command::new(compiler);
    let is_cpp = source.extension().is_some_and(|ending| ending == "cc");
    command.args(if is_cpp { CPP } else { C }).args(["-Wall", "-Wextra", "-Werror"]);
    command.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"));
    command.args(before).arg(source).args(after).arg("-o").arg(&program);
    let output = command.output().expect("the compiler starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", source.display());
    program
}

/// The words that link the library as a shared one.
fn shared() -> Vec<String> {
    let folder = library().display();
    vec![
        format!("-L{folder}"),
        format!("-Wl,-rpath,{folder}"),
        "-lzwasm".to_owned(),
        "-lpthread".to_owned(),
    ]
}

fn compile_shared(compiler: &str, source: &Path, name: &str, before: &[&str]) -> PathBuf {
    let after = shared();
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    compile(compiler, source, name, before, &after)
}

/// What an example's header says that it prints.
fn expected(source: &Path) -> String {
    let text = std::fs::read_to_string(source).expect("the example can be read");
    let lines = text.lines().map(|line| line.trim_start_matches([' ', '*']));
    let lines = lines.filter_map(|line| line.strip_prefix("expect:"));
    lines.map(|line| line.trim_start().trim_end_matches(" */").to_owned() + "\n").collect()
}

fn assert_prints(output: &Output, expected: &str, what: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{what}: {errors}");
    assert!(output.status.success(), "{what}: {}: {errors}", output.status);
}

/// The files of a folder with this ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let entries = std::fs::read_dir(&folder).expect("there is a folder of examples");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    assert!(!files.is_empty(), "no examples in {}", folder.display());
    files
}

#[test]
#[cfg_attr(
    not(all(feature = "component", feature = "wat", feature = "gc")),
    ignore = "the examples are text, and one a component"
)]
fn examples_print_what_they_say_however_they_run() {
    let Some(compiler) = compiler() else { return };
    let strategy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strategy.h");
    let strategy = strategy.to_str().expect("the path is UTF-8");
    for source in files("examples/c", "c") {
        let name = source.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let expected = expected(&source);
        assert!(!expected.is_empty(), "{name} does not say what it prints");
        let program = compile_shared(compiler, &source, &name, &["-include", strategy]);
        for strategy in STRATEGIES {
            let output = Command::new(&program).env("TEST_STRATEGY", strategy).output();
            let what = format!("{name} with strategy {strategy}");
            assert_prints(&output.expect("the example starts"), &expected, &what);
        }
    }
}

#[test]
#[cfg_attr(not(all(feature = "wat", feature = "gc")), ignore = "the examples are text")]
fn examples_in_cpp_print_what_they_say() {
    let Some(compiler) = compiler_of_cpp() else { return };
    for source in files("examples/cpp", "cc") {
        let name = source.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let expected = expected(&source);
        assert!(!expected.is_empty(), "{name} does not say what it prints");
        let program = compile_shared(&compiler, &source, &format!("{name}-cpp"), &[]);
        let output = Command::new(&program).output().expect("the example starts");
        assert_prints(&output, &expected, &name);
    }
}

/// Compiles and runs a program of this folder's, which prints what does not hold.
fn holds(name: &str) {
    let Some(compiler) = compiler() else { return };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(format!("{name}.c"));
    let program = compile_shared(compiler, &source, name, &[]);
    let output = Command::new(program).output().expect("the program starts");
    assert_prints(&output, "", name);
}

#[test]
#[cfg_attr(
    not(all(feature = "wat", feature = "gc", feature = "simd", feature = "threads")),
    ignore = "it uses everything"
)]
fn the_headers_keep_their_promises() {
    holds("behaviour");
}

#[test]
#[cfg_attr(
    not(all(feature = "wat", feature = "gc", feature = "simd", feature = "threads")),
    ignore = "it uses everything"
)]
fn the_headers_of_wasmtime_keep_their_promises() {
    holds("wasmtime");
}

#[test]
#[cfg_attr(not(feature = "wat"), ignore = "the modules are text")]
fn parsers_share_a_store() {
    holds("parsers");
}

/// What is installed.
fn installed() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let prefix = INSTALLED.get_or_init(|| {
        let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed");
        let mut install = Command::new(root().join("scripts/install-c"));
        let output = install.arg(&prefix).arg("--built").arg(library()).output();
        let output = output.expect("the script starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        prefix
    });
    prefix.clone()
}

/// What a command prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text.into_owned()
}

#[cfg(unix)]
#[test]
fn pkg_config_finds_what_is_installed() {
    let Some(compiler) = compiler() else { return };
    if Command::new("pkg-config").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `pkg-config`");
        return;
    }
    let prefix = installed();
    let source = root().join("examples/c/hello.c");
    let ask = |words: &[&str]| {
        let mut command = Command::new("pkg-config");
        command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).args(words).arg("zwasm");
        printed(&mut command).trim().to_owned()
    };
    assert_eq!(ask(&["--modversion"]), env!("CARGO_PKG_VERSION"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hello-pkg-config");
    let mut build = Command::new(compiler);
    let words = ask(&["--cflags", "--libs"]);
    build.arg(&source).args(words.split_whitespace()).arg("-o").arg(&program);
    printed(&mut build);
    let output = Command::new(&program).env("LD_LIBRARY_PATH", prefix.join("lib")).output();
    assert_prints(&output.expect("the example starts"), &expected(&source), "hello");
    // All headers are there, those of wasmtime by their own names, too.
    let headers = Path::new(env!("CARGO_TARGET_TMPDIR")).join("headers.c");
    let text = "#include <wasmtime/store.h>\n#include <wasmtime.h>\n#include <zwasm.h>\n\
        int main(void) { return 0; }\n";
    std::fs::write(&headers, text).expect("the file can be written");
    let mut check = Command::new(compiler);
    let words = ask(&["--cflags"]);
    check.args(["-fsyntax-only", "-Wall", "-Werror"]).args(words.split_whitespace());
    printed(check.arg(&headers));
    // A program that needs no shared library.
    let archive = prefix.join("lib/libzwasm.a").display().to_string();
    let words = ask(&["--static", "--libs"]).replace("-lzwasm", &archive);
    let mut build = Command::new(compiler);
    build.arg(&source).args(ask(&["--cflags"]).split_whitespace());
    build.args(words.split_whitespace()).arg("-o").arg(&program);
    printed(&mut build);
    let output = Command::new(&program).output().expect("the example starts");
    assert_prints(&output, &expected(&source), "hello");
}

#[cfg(unix)]
#[test]
fn cmake_finds_what_is_installed() {
    let Some(compiler) = compiler() else { return };
    if Command::new("cmake").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `cmake`");
        return;
    }
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cmake-project");
    let _ = std::fs::remove_dir_all(&project);
    std::fs::create_dir_all(&project).expect("the folder can be made");
    let source = root().join("examples/c/hello.c");
    std::fs::copy(&source, project.join("hello.c")).expect("the example can be copied");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "cmake_minimum_required(VERSION 3.10)\nproject(hello C)\n\
         find_package(zwasm {version} CONFIG REQUIRED)\n\
         add_executable(hello hello.c)\ntarget_link_libraries(hello PRIVATE zwasm::zwasm)\n\
         add_executable(alone hello.c)\n\
         target_link_libraries(alone PRIVATE zwasm::zwasm-static)\n"
    );
    std::fs::write(project.join("CMakeLists.txt"), text).expect("the file can be written");
    let build = project.join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&project).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", installed().display()));
    configure.arg(format!("-DCMAKE_C_COMPILER={compiler}"));
    printed(&mut configure);
    printed(Command::new("cmake").arg("--build").arg(&build));
    for name in ["hello", "alone"] {
        let output = Command::new(build.join(name)).output().expect("the example starts");
        assert_prints(&output, &expected(&source), name);
    }
}

#[test]
#[cfg_attr(not(all(feature = "component", feature = "wat")), ignore = "the components are text")]
fn the_headers_keep_their_promises_of_components() {
    let Some(compiler) = compiler() else { return };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/components.c");
    let echo = root().join("crates/component/tests/components/echo.wat");
    let echo = format!("-DECHO=\"{}\"", echo.display());
    let program = compile_shared(compiler, &source, "components", &[&echo]);
    let output = Command::new(program).output().expect("the program starts");
    assert_prints(&output, "", "components");
}

#[test]
fn the_static_library_is_enough() {
    let Some(compiler) = compiler() else { return };
    let source = root().join("examples/c/hello.c");
    let archive = library().join("libzwasm.a");
    let archive = archive.to_str().expect("the path is UTF-8");
    let after = [archive, "-lpthread", "-ldl", "-lm"];
    let program = compile(compiler, &source, "hello-static", &[], &after);
    let output = Command::new(program).output().expect("the example starts");
    assert_prints(&output, &expected(&source), "hello");
}

/// Holds if a panic in a library can be caught: that is why it has a profile of its own.
/// What it then becomes is tested where panics can be caused.
fn assert_panics_unwind(folder: &Path) {
    for file in ["libzwasm.so", "libzwasm.a"] {
        let bytes = std::fs::read(folder.join(file)).expect("the library is there");
        let raises = b"_Unwind_RaiseException";
        let found = bytes.windows(raises.len()).any(|window| window == raises);
        assert!(found, "{file} is built to abort");
    }
}

#[test]
fn panics_unwind_in_the_library() {
    assert_panics_unwind(library());
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let section = manifest.split(&format!("[profile.{SHIPPED}]")).nth(1).expect("a profile");
    let section = section.split("\n[").next().expect("split gives one at least");
    assert!(section.contains("inherits = \"release\"") && section.contains("panic = \"unwind\""));
}

#[test]
#[ignore = "takes minutes to build what is shipped: `.ci/release` asks for it"]
fn panics_unwind_in_what_is_shipped() {
    assert_panics_unwind(&shipped());
}

/// Every function that a header declares is in the library.
#[test]
#[cfg_attr(
    not(all(feature = "component", feature = "threads")),
    ignore = "components and shared memories are declared, too"
)]
fn what_is_declared_is_defined() {
    let Some(compiler) = compiler() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join("declared.c");
    let headers = "#include \"zwasm.h\"\n#include \"wasmtime.h\"\n";
    std::fs::write(&source, format!("#define WASM_API_EXTERN IS_DECLARED\n{headers}")).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let output = Command::new(compiler).arg("-E").arg("-I").arg(include).arg(&source).output();
    let text = String::from_utf8(output.expect("the preprocessor starts").stdout).unwrap();
    let mut functions = Vec::new();
    for declaration in text.split("IS_DECLARED").skip(1) {
        let before = declaration.split('(').next().expect("split gives one at least");
        let name = before.rsplit([' ', '*', '\n']).find(|word| !word.is_empty());
        functions.push(name.expect("a function has a name"));
    }
    assert!(functions.len() >= 540, "only {} functions are declared", functions.len());
    let table: String = functions.iter().map(|name| format!("(void*){name},\n")).collect();
    let program =
        format!("{headers}void* all[] = {{\n{table}}};\nint main(void) {{ return !all[0]; }}\n");
    std::fs::write(&source, program).unwrap();
    let program = compile_shared(compiler, &source, "declared", &[]);
    assert!(Command::new(program).status().expect("the program starts").success());
}

/// The headers are also C++'s.
#[test]
fn cpp_understands_the_headers() {
    let Some(compiler) = compiler() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join("headers.cc");
    let program = "#include \"zwasm.h\"\n#include \"wasmtime.h\"\n#include \"wasm.hh\"\n\
        int main() {\n  wasm_engine_delete(wasm_engine_new());\n\
        \x20 wasm_functype_delete(wasm_functype_new_3_2(wasm_valtype_new_i32(),\n\
        \x20   wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64(),\n\
        \x20   wasm_valtype_new_externref()));\n}\n";
    std::fs::write(&source, program).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let mut command = Command::new(compiler);
    command.args(["-fsyntax-only", "-x", "c++", "-std=c++11", "-Wall", "-Werror", "-I"]);
    let output = command.arg(include).arg(&source).output().expect("the compiler starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("cc1plus") {
        eprintln!("skipped: the C compiler has no C++");
        return;
    }
    assert!(output.status.success(), "{errors}");
}

#[test]
#[cfg_attr(not(feature = "wat"), ignore = "the example is text")]
fn python_runs_a_guest() {
    let works = Command::new("python3").arg("--version").output().is_ok();
    // What is built for another processor the Python of this machine cannot load.
    if !works || std::env::var_os("TARGET_CC").is_some() {
        eprintln!("skipped: there is no Python (`python3`) for this processor");
        return;
    }
    for source in files("examples/python", "py") {
        let mut command = Command::new("python3");
        command.arg("-B").arg(&source).arg(library().join("libzwasm.so"));
        let output = command.output().expect("Python starts");
        assert_prints(&output, &expected(&source), &source.display().to_string());
    }
}
