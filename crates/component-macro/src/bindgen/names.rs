//! Identifiers of Rust for names of WIT, as wasmtime makes them.

use proc_macro2::Span;
use syn::Ident;

/// The words of a name in lower case, joined by `_`.
pub(super) fn snake(name: &str) -> String {
    name.to_lowercase().replace(['-', '.', '+'], "_")
}

/// The words of a name, each with a capital, in one.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split('-') {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(&letters.as_str().to_lowercase());
    }
    camel
}

fn identifier(name: String) -> Ident {
    // `gen` is a keyword of some editions only.
    match syn::parse_str::<Ident>(&name) {
        Ok(_) if name != "gen" => Ident::new(&name, Span::call_site()),
        _ => Ident::new(&format!("{name}_"), Span::call_site()),
    }
}

/// The name of a function, parameter, field or module.
pub(super) fn value_ident(name: &str) -> Ident {
    identifier(snake(name))
}

/// The name of a type or a case.
pub(super) fn type_ident(name: &str) -> Ident {
    identifier(camel(name))
}

/// The name of a flag.
pub(super) fn constant_ident(name: &str) -> Ident {
    identifier(snake(name).to_uppercase())
}

/// A prefix and a name in one identifier.
pub(super) fn prefixed_value(prefix: &str, name: &str) -> Ident {
    identifier(format!("{prefix}_{}", snake(name)))
}

/// A word before or after the name of a type.
pub(super) fn affixed_type(before: &str, name: &str, after: &str) -> Ident {
    identifier(format!("{before}{}{after}", camel(name)))
}

/// The name of the type of a world: `Host` is taken by the traits that a host implements.
pub(super) fn world_name(name: &str) -> String {
    match camel(name).as_str() {
        "Host" => "Host_".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        assert_eq!(value_ident("kebab-case"), "kebab_case");
        assert_eq!(value_ident("is-XML"), "is_xml");
        assert_eq!(value_ident("type"), "type_");
        assert_eq!(value_ident("self"), "self_");
        assert_eq!(value_ident("bool"), "bool");
        assert_eq!(type_ident("is-XML2"), "IsXml2");
        assert_eq!(type_ident("self"), "Self_");
        assert_eq!(constant_ident("a-b"), "A_B");
        assert_eq!(world_name("host"), "Host_");
        assert_eq!(snake("dep0.1.0"), "dep0_1_0");
    }
}
