//! One case: types, guests that echo values of them, and values.

use super::defs::{Defs, How, named_with};
use super::guest::{Guest, Signature};
use super::ty::Ty;
use super::value::{self, Budget};
use std::fmt::Write;
use zwasm_component::Val;
use zwasm_wast::mutate::Rng;

/// The instances that the component of a case exports, each with a function `echo`.
pub const EXPORTS: [&str; 4] = ["f:z/end", "f:z/by-guest", "f:z/by-host", "f:z/by-two"];

/// The instance that it imports, with a function `echo` as well.
pub const IMPORT: &str = "f:z/host";

/// The heaviest types of a case, all together.
const MAX_WEIGHT: u64 = 300;
/// Elements and characters of the values of a call.
const BUDGET: usize = 10_000;

/// A case.
pub struct Case {
    /// The component, in text.
    pub text: String,
    /// Arguments of calls.
    pub calls: Vec<Vec<Val>>,
    /// Whether guests and values are right, so that each call has to return its arguments.
    pub right: bool,
}

impl Case {
    /// The case of a number.
    pub fn draw(seed: u64, number: u64) -> Self {
        let rng = &mut Rng::for_case(seed, number);
        let params = params(rng);
        let signature = Signature::new(&params);
        let wrong = rng.below(4) == 0;
        let guests: Vec<Guest> = {
            let guilty = rng.below(3);
            (0..3).map(|at| Guest::draw(rng, wrong && at == guilty, &signature)).collect()
        };
        let text = text(&params, &signature, &guests);
        let mut right = !wrong;
        let mut calls = Vec::new();
        for _ in 0..1 + rng.below(3) {
            let mut budget = Budget(BUDGET);
            let mut values: Vec<Val> =
                params.iter().map(|ty| value::draw(ty, rng, &mut budget)).collect();
            if rng.below(24) == 0 {
                right = false;
                let at = rng.below(values.len());
                values[at] = value::draw(&Ty::draw(rng, 2), rng, &mut budget);
                if rng.below(4) == 0 {
                    values.pop();
                }
            }
            calls.push(values);
        }
        Self { text, calls, right }
    }

    /// What a call with these arguments has to return.
    pub fn expected(arguments: &[Val]) -> Val {
        match arguments {
            [one] => one.clone(),
            many => Val::Tuple(many.to_vec()),
        }
    }
}

/// Types of parameters: at times of more core values than are passed as such.
fn params(rng: &mut Rng) -> Vec<Ty> {
    let count = match rng.below(10) {
        0 => 17 + rng.below(4),
        1..=3 => 1,
        _ => 1 + rng.below(5),
    };
    let mut left = MAX_WEIGHT;
    let mut params = Vec::new();
    for _ in 0..count {
        let depth = rng.below(5) as u32;
        let ty = Ty::draw(rng, if count > 5 { 1 } else { depth });
        let weight = ty.weight();
        if weight <= left {
            left -= weight;
            params.push(ty);
        }
    }
    if params.is_empty() {
        params.push(Ty::Bool);
    }
    params
}

fn text(params: &[Ty], signature: &Signature<'_>, guests: &[Guest]) -> String {
    let mut defs = Defs::default();
    let names: Vec<String> = params.iter().map(|ty| defs.add(ty)).collect();
    let result = defs.add(&signature.result);
    let ty = |prefix: &str| {
        let mut text = String::new();
        for (at, name) in names.iter().enumerate() {
            let _ = write!(text, "(param \"p{at}\" {}) ", named_with(name, prefix));
        }
        format!("{text}(result {})", named_with(&result, prefix))
    };
    let end = format!(
        "(component $end
           {}
           (core module $m {})
           (core instance $i (instantiate $m))
           (func (export \"echo\") {} (canon lift (core func $i \"f\") {})))",
        defs.write("t", How::Export),
        inner(&guests[0].ends(signature)),
        ty("t"),
        guests[0].options("$i", true),
    );
    let middle = |name: &str, guest: &Guest| {
        let mut options = guest.options("$l", true);
        let lowering = guest.options("$l", false);
        // What is between two instances of core modules.
        if !guest.forgets {
            options.clone_from(&lowering);
        }
        format!(
            "(component ${name}
               {}
               (import \"echo\" (func $next {}))
               (core module $lib {})
               (core instance $l (instantiate $lib))
               (core func $lowered (canon lower (func $next) {lowering}))
               (core module $m {})
               (core instance $i (instantiate $m (with \"\" (instance
                 (export \"next\" (func $lowered))
                 (export \"m\" (memory $l \"m\"))
                 (export \"realloc\" (func $l \"realloc\"))))))
               {}
               (func (export \"echo\") {} (canon lift (core func $i \"f\") {options})))",
            defs.write("t", How::Import),
            ty("t"),
            guest.library(signature),
            inner(&guest.passes_on(signature)),
            defs.write_again("t", "x"),
            ty("x"),
        )
    };
    let instance = |name: &str, component: &str, next: &str| {
        format!(
            "(instance ${name} (instantiate ${component} (with \"echo\" (func {next} \"echo\")){}))",
            defs.arguments(next)
        )
    };
    let [of_end, of_guest, of_host, of_two] = EXPORTS;
    format!(
        "(component
           (import \"{IMPORT}\" (instance $h
             {}
             (export \"echo\" (func {}))))
           {end}
           {}
           {}
           (instance $e (instantiate $end))
           {}
           {}
           {}
           (export \"{of_end}\" (instance $e))
           (export \"{of_guest}\" (instance $g))
           (export \"{of_host}\" (instance $o))
           (export \"{of_two}\" (instance $b)))",
        defs.write("h", How::Within),
        ty("h"),
        middle("one", &guests[1]),
        middle("two", &guests[2]),
        instance("g", "one", "$e"),
        instance("o", "one", "$h"),
        instance("b", "two", "$g"),
    )
}

/// What stands within the parentheses of a module.
fn inner(module: &str) -> &str {
    module.strip_prefix("(module").and_then(|text| text.strip_suffix(')')).unwrap_or(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_valid_components() {
        use wasmparser::{Validator, WasmFeatures};
        let features = WasmFeatures::WASM3
            | WasmFeatures::COMPONENT_MODEL
            | WasmFeatures::CM_MAP
            | WasmFeatures::CM_FIXED_LENGTH_LISTS;
        let mut right = 0;
        for number in 0..150 {
            let case = Case::draw(1, number);
            let bytes = wat::parse_str(&case.text)
                .unwrap_or_else(|error| panic!("{number}: {error}\n{}", case.text));
            let valid = Validator::new_with_features(features).validate_all(&bytes);
            if let Err(error) = valid {
                panic!("{number}: {error}\n{}", case.text);
            }
            right += u32::from(case.right);
        }
        assert!(right > 80, "{right}");
    }
}
