//! The features of components that are behind a gate: those that the specification marks
//! by an emoji, for they are not finished.
//!
//! A script may use those that are open. One that uses another is not run, and its outcome
//! names the gate: whether that is so is found by validating its components with all gates
//! open, for scripts do not say what they need.

use crate::script::{self, Form};
use std::fmt::{self, Display};
use std::str::FromStr;
use wasmparser::{Validator, WasmFeatures};
use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, Wat};
use zwasm::{Config, Feature};

/// Each gate: its name, what it is for the validator, and the engine's switch for it, if
/// it has one.
const GATES: [(&str, WasmFeatures, Option<Feature>); 11] = [
    ("async", WasmFeatures::CM_ASYNC, Some(Feature::ComponentAsync)),
    ("async-stackful", WasmFeatures::CM_ASYNC_STACKFUL, Some(Feature::ComponentAsyncStackful)),
    ("error-context", WasmFeatures::CM_ERROR_CONTEXT, Some(Feature::ComponentErrorContext)),
    (
        "fixed-length-lists",
        WasmFeatures::CM_FIXED_LENGTH_LISTS,
        Some(Feature::ComponentFixedLengthLists),
    ),
    ("gc", WasmFeatures::CM_GC, None),
    ("implements", WasmFeatures::CM_IMPLEMENTS, Some(Feature::ComponentImplements)),
    ("map", WasmFeatures::CM_MAP, Some(Feature::ComponentMap)),
    (
        "more-async-builtins",
        WasmFeatures::CM_MORE_ASYNC_BUILTINS,
        Some(Feature::ComponentMoreAsyncBuiltins),
    ),
    ("nested-names", WasmFeatures::CM_NESTED_NAMES, Some(Feature::ComponentNestedNames)),
    ("threading", WasmFeatures::CM_THREADING, Some(Feature::ComponentThreading)),
    ("values", WasmFeatures::CM_VALUES, None),
];

/// The gates that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates(WasmFeatures);

impl Default for Gates {
    /// Those of features that are released, and lists of a fixed length.
    fn default() -> Self {
        Self(
            WasmFeatures::CM_ASYNC
                | WasmFeatures::CM_FIXED_LENGTH_LISTS
                | WasmFeatures::CM_IMPLEMENTS
                | WasmFeatures::CM_MAP,
        )
    }
}

/// A list of names with commas between them.
impl FromStr for Gates {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let mut flags = WasmFeatures::empty();
        for name in list.split(',').filter(|name| !name.is_empty()) {
            let Some((.., flag, switch)) = GATES.iter().find(|(known, ..)| *known == name) else {
                let known: Vec<&str> = GATES.iter().map(|(name, ..)| *name).collect();
                return Err(format!("unknown gate '{name}' (known: {})", known.join(", ")));
            };
            if switch.is_none_or(|feature| !feature.is_supported()) {
                return Err(format!("what is behind the gate '{name}' is not in this build"));
            }
            flags |= *flag;
        }
        Ok(Self(flags))
    }
}

impl Display for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&names(self.0).join(","))
    }
}

fn names(flags: WasmFeatures) -> Vec<&'static str> {
    GATES.iter().filter(|(_, flag, _)| flags.contains(*flag)).map(|(name, ..)| *name).collect()
}

impl Gates {
    /// Opens and closes the engine's gates.
    pub(crate) fn configure(self, config: &mut Config) {
        for (_, flag, switch) in GATES {
            if let Some(feature) = switch {
                config.wasm_feature(feature, self.0.contains(flag));
            }
        }
    }

    /// The features that components may use beside those of modules.
    pub(crate) fn flags(self) -> WasmFeatures {
        self.0 | WasmFeatures::COMPONENT_MODEL
    }

    /// The names of closed gates that a script needs. `modules` is what modules may use.
    pub(crate) fn needed(self, forms: &[Form<'_>], modules: WasmFeatures) -> Vec<&'static str> {
        let all = GATES.iter().fold(modules, |all, (_, flag, _)| all | *flag);
        let all = all | WasmFeatures::COMPONENT_MODEL;
        let mut needed = WasmFeatures::empty();
        for form in forms {
            for bytes in components(form) {
                let valid =
                    |flags| Validator::new_with_features(flags).validate_all(&bytes).is_ok();
                if valid(modules | self.flags()) || !valid(all) {
                    continue;
                }
                let closed = GATES.iter().filter(|(_, flag, _)| !self.0.contains(*flag));
                for (_, flag, _) in closed.filter(|(_, flag, _)| !valid(all - *flag)) {
                    needed |= *flag;
                }
            }
        }
        names(needed)
    }
}

/// The components of a form that are to be valid, as far as they are binaries.
fn components(form: &Form<'_>) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    if form.text.contains("component")
        && let Ok(buffer) = script::buffer(form.text)
        && let Ok(directive) = script::directive(&buffer, form)
    {
        let bytes = match directive {
            WastDirective::Module(wat) | WastDirective::ModuleDefinition(wat) => quoted(wat),
            WastDirective::AssertUnlinkable { module: Wat::Component(mut component), .. }
            | WastDirective::AssertTrap {
                exec: WastExecute::Wat(Wat::Component(mut component)),
                ..
            } => component.encode().ok(),
            _ => None,
        };
        found.extend(bytes);
    }
    found
}

fn quoted(mut wat: QuoteWat<'_>) -> Option<Vec<u8>> {
    if let QuoteWat::Wat(Wat::Module(_)) | QuoteWat::QuoteModule(..) = wat {
        return None;
    }
    match wat.to_test().ok()? {
        QuoteWatTest::Binary(bytes) => Some(bytes),
        QuoteWatTest::Text(text) => {
            let buffer = script::buffer(str::from_utf8(&text).ok()?).ok()?;
            wast::parser::parse::<Wat<'_>>(&buffer).ok()?.encode().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(gates: &str, text: &str) -> Vec<&'static str> {
        let gates: Gates = gates.parse().unwrap();
        gates.needed(&script::split(text).0, WasmFeatures::WASM3)
    }

    #[test]
    fn lists_are_read_and_shown() {
        assert_eq!("map,implements".parse::<Gates>().unwrap().to_string(), "implements,map");
        assert_eq!("".parse::<Gates>().unwrap().to_string(), "");
        assert_eq!(Gates::default().to_string(), "async,fixed-length-lists,implements,map");
        assert!("maps".parse::<Gates>().unwrap_err().starts_with("unknown gate 'maps' (known: a"));
        assert!("values".parse::<Gates>().unwrap_err().ends_with("is not in this build"));
    }

    #[test]
    fn a_script_needs_what_its_components_use() {
        let map = "(component (type (map u8 u8)))";
        assert_eq!(needed("map", map), [""; 0]);
        assert_eq!(needed("implements", map), ["map"]);
        let both = format!("{map} (component (type (stream u8)))");
        assert_eq!(needed("implements", &both), ["async", "map"]);
        // What is to be refused needs nothing.
        assert_eq!(needed("", &format!(r#"(assert_invalid {map} "x")"#)), [""; 0]);
        assert_eq!(needed("", "(component (func $f (canon lift (core func 0))))"), [""; 0]);
    }
}
