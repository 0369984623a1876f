//! `zwasm features`: what of WebAssembly this build understands.
//!
//! The engine's own table of switches is all that is printed.

use std::fmt::Write;

use zwasm::Feature;

/// The features, one a line: name, status, and what this build does with it. As
/// JSON, an array with an object for each.
pub fn list(json: bool) -> String {
    let mut text = String::new();
    let mut between = "[\n";
    for &feature in Feature::ALL {
        let (name, status) = (feature.name(), feature.status());
        // Writing to a String cannot fail.
        let _ = match json {
            true => {
                let (supported, executed) = (feature.is_supported(), feature.is_executed());
                let default = feature.is_default();
                write!(
                    text,
                    "{between}  {{\"name\": \"{name}\", \"status\": \"{status}\", \
                     \"supported\": {supported}, \"executed\": {executed}, \
                     \"default\": {default}}}"
                )
            }
            false => writeln!(text, "{name:<30}{:<10}{}", status.to_string(), does(feature)),
        };
        between = ",\n";
    }
    if json {
        text.push_str("\n]\n");
    }
    text
}

fn does(feature: Feature) -> &'static str {
    match (feature.is_executed(), feature.is_supported()) {
        (true, _) if feature.is_default() => "yes",
        (true, _) => "with --enable",
        (false, true) => "validated only",
        (false, false) => "not in this build",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_listed() {
        let (text, json) = (list(false), list(true));
        assert_eq!(text.lines().count(), Feature::ALL.len());
        for (line, feature) in text.lines().zip(Feature::ALL) {
            assert!(line.starts_with(feature.name()), "{line}");
            let on = feature.is_executed() && feature.is_default();
            assert_eq!(line.ends_with(" yes"), on, "{line}");
            assert!(json.contains(&format!("{{\"name\": \"{}\", ", feature.name())));
        }
        assert!(json.starts_with("[\n") && json.ends_with("}\n]\n"));
    }
}
