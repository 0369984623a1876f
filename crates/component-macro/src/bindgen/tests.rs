//! What `bindgen!` refuses, and in which words. What it makes is tested where it can be
//! compiled, in `zwasm-component`.

use super::{Options, expand};

fn refused(input: &str) -> String {
    let options = match syn::parse_str::<Options>(input) {
        Ok(options) => options,
        Err(error) => return error.to_string(),
    };
    match expand(options) {
        Ok(_) => panic!("{input} was accepted"),
        Err(error) => error.to_string(),
    }
}

fn generated(input: &str) -> String {
    let options = syn::parse_str::<Options>(input).expect("options");
    expand(options).expect("code").to_string()
}

fn world(items: &str, options: &str) -> String {
    format!(
        r##"{{ inline: r#"package a:b; interface i {{ f: func(); enum e {{ x }} resource r; }} world w {{ {items} }}"#, {options} }}"##
    )
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn options_that_are_unknown_name_the_known() {
    contains(&refused("{ worlds: 1 }"), &["there is no option `worlds`", "`world`, `path`"]);
    contains(&refused("{ anyhow: true }"), &["the option `anyhow` is not supported"]);
    contains(&refused("{ world: \"a\", world: \"b\" }"), &["`world` is given twice"]);
    contains(&refused("{ inline: \"\", interfaces: \"\" }"), &["cannot both be given"]);
    contains(&refused("{ wasmtime_crate: x }"), &["`component_crate`"]);
    contains(&refused("{ ownership: Borrowing { duplicate_if_necessary: true } }"), &["`Owning`"]);
    contains(
        &refused("{ imports: { default: tracing } }"),
        &["there is no flag `tracing`", "`async`, `store`, `trappable` and `exact`"],
    );
    contains(&refused("{ with: { \"a\": b::<c> } }"), &["expected"]);
}

#[test]
fn errors_in_wit_tell_where() {
    contains(&refused("{ inline: \"package a:b; world w { import }\" }"), &["inline:1:31"]);
    contains(&refused("{ path: \"no/such/folder\" }"), &["no/such/folder"]);
    contains(&refused(&world("", "world: \"v\"")), &["v"]);
    contains(
        &refused("{ inline: \"package a:b; world v {} world w {}\" }"),
        &["multiple worlds", "a:b/v"],
    );
}

#[test]
fn options_for_what_is_not_there_are_refused() {
    contains(
        &refused(&world("import i;", "imports: { \"a:b/i.g\": trappable }")),
        &["no function of the world has this name"],
    );
    contains(
        &refused(&world("export i;", "exports: { \"a:b/j\": trappable }")),
        &["no function of the world has this name"],
    );
    contains(
        &refused(&world("import i;", "with: { \"a:b/i.q\": x }")),
        &["the world imports no interface or resource of this name"],
    );
    contains(
        &refused(&world("import i;", "trappable_error_type: { \"a:b/i.q\" => x }")),
        &["there is no such type"],
    );
}

#[test]
fn error_contexts_are_refused() {
    contains(
        &refused(
            "{ inline: \"package a:b; interface i { f: func() -> list<error-context>; } \
             world w { export i; }\" }",
        ),
        &["`a:b/i` uses error contexts"],
    );
}

#[test]
fn functions_with_the_store_are_in_traits_of_their_own() {
    let code = |options: &str| generated(&world("import i; import g: async func();", options));
    let plain = code("");
    contains(
        &plain,
        &[
            "pub trait Host : HostR",
            "pub trait WImportsWithStore : zwasm_component :: HasData {",
            "accessor : & zwasm_component :: Accessor < _T , Self >",
            "func_wrap_concurrent (\"g\"",
            "_D : WImportsWithStore",
        ],
    );
    assert!(!plain.contains("HostWithStore"), "{plain}");
    let sync = code("imports: { \"a:b/i.f\": store }");
    contains(
        &sync,
        &["host : zwasm_component :: Access < '_ , _T , Self >", "pub trait HostWithStore"],
    );
    let drop = code("imports: { \"a:b/i.[drop]r\": async | store }");
    contains(&drop, &["resource_concurrent", "pub trait HostWithStore", "+ HostRWithStore"]);
}

#[test]
fn rules_are_for_what_they_name() {
    let fallible = "zwasm_component :: __private :: Result < () >";
    let plain = "fn f (& mut self ,) -> () ;";
    let count = |imports: &str| {
        let code = generated(&world("import i; import f: func();", imports));
        (
            code.matches(plain).count(),
            code.matches(&format!("fn f (& mut self ,) -> {fallible} ;")).count(),
        )
    };
    assert_eq!(count(""), (2, 0));
    assert_eq!(count("imports: { default: trappable }"), (0, 2));
    assert_eq!(count("imports: { \"a:b/i.f\": trappable }"), (1, 1));
    assert_eq!(count("imports: { \"a:b\": trappable }"), (1, 1));
    assert_eq!(count("imports: { \"f\": trappable }"), (1, 1));
    assert_eq!(count("imports: { \"a:b/i.f\": exact, default: trappable }"), (1, 1));
}

#[test]
fn futures_are_what_rules_say() {
    let code = |options: &str| generated(&world("import i; export i; export g: func();", options));
    let future = "-> impl :: core :: future :: Future < Output = ()";
    let plain = code("");
    assert!(!plain.contains("async") && !plain.contains("Future"), "{plain}");
    let imports = code("imports: { \"a:b/i.f\": async }");
    contains(
        &imports,
        &["func_wrap_async", "instantiate_async", "pub trait Host : :: core", future],
    );
    assert!(!imports.contains("pub async fn call_") && !imports.contains("resource_async"));
    let drop = code("imports: { \"a:b/i.[drop]r\": async }");
    contains(&drop, &["resource_async", "pub trait HostR : :: core"]);
    assert!(!drop.contains("func_wrap_async"));
    let exports = code("exports: { \"g\": async }");
    contains(&exports, &["pub async fn call_g", "pub fn call_f", "instantiate_async"]);
    assert!(!exports.contains("wrap_async"));
    let all = code("imports: { default: async | trappable }, exports: { default: async }");
    contains(&all, &["resource_async", "pub async fn call_g", "pub async fn call_f"]);
}

#[test]
fn packages_of_several_versions_have_modules_of_their_own() {
    let code = generated(
        "{ inline: \"package a:b; \
         package c:d@0.1.0 { interface i { f: func(); } } \
         package c:d@0.2.0-rc1 { interface i { f: func(); } } \
         world w { import c:d/i@0.1.0; import c:d/i@0.2.0-rc1; export c:d/i@0.1.0; }\" }",
    );
    contains(
        &code,
        &["pub mod d0_1_0", "pub mod d0_2_0_rc1", "\"c:d/i@0.1.0#f\"", "c_d0_1_0_i (& self)"],
    );
}
