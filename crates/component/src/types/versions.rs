//! Names with versions: `namespace:package/interface@1.2.3`.
//!
//! An import finds what is defined under a compatible version. Versions are compatible
//! if they agree up to their first part that is not zero: all of 1, all of 0.2, and
//! 0.0.3 with nothing else; one before a release only with itself.
//!
//! Specification: Component Model, "Import and Export Definitions", `canonversion`.

/// A version as numbers; what is before a release, or no such version, has none.
type Version = (u64, u64, u64);

/// The name without its version, and that.
fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once('@')
}

fn parse(version: &str) -> Option<Version> {
    // What a build adds to it does not count.
    let version = version.split('+').next()?;
    let mut parts = version.split('.').map(|part| part.parse::<u64>().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

/// The part in which compatible versions agree.
fn track(version: Version) -> Version {
    match version {
        (0, 0, patch) => (0, 0, patch),
        (0, minor, _) => (0, minor, 0),
        (major, _, _) => (major, 0, 0),
    }
}

/// The place of the newest version that is compatible with the one in a name.
pub(crate) fn newest_compatible<'a>(
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<usize> {
    let (base, version) = split(name)?;
    let wanted = track(parse(version)?);
    let versions = names.enumerate().filter_map(|(place, name)| {
        let (other, version) = split(name)?;
        let version = parse(version).filter(|version| other == base && track(*version) == wanted);
        Some((version?, place))
    });
    versions.max().map(|(_, place)| place)
}

/// Whether two names differ, but in no more than their versions.
pub(crate) fn same_but_for_version(a: &str, b: &str) -> bool {
    let base = |name: &str| name.find('@').unwrap_or(name.len());
    a != b && a[..base(a)] == b[..base(b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatible_versions_are_found_and_the_newest_of_them() {
        let names = ["a:b/c@0.2.0", "a:b/c@0.2.10", "a:b/c@0.2.9", "a:b/c@0.3.0", "a:b/d@0.2.11"];
        let find = |name| newest_compatible(name, names.into_iter()).map(|place| names[place]);
        assert_eq!(find("a:b/c@0.2.3"), Some("a:b/c@0.2.10"));
        assert_eq!(find("a:b/c@0.2.99"), Some("a:b/c@0.2.10"));
        assert_eq!(find("a:b/c@0.3.1"), Some("a:b/c@0.3.0"));
        for none in
            ["a:b/c", "a:b/c@0.4.0", "a:b/c@1.0.0", "a:b/c@0.2", "a:b/c@0.2.0-rc", "a:b/e@0.2.0"]
        {
            assert_eq!(find(none), None, "{none}");
        }
        let names = ["p:q/r@1.0.0+build", "p:q/r@1.9.0-rc", "p:q/r@0.0.1"];
        let find = |name| newest_compatible(name, names.into_iter()).map(|place| names[place]);
        assert_eq!(find("p:q/r@1.4.2"), Some("p:q/r@1.0.0+build"));
        assert_eq!(find("p:q/r@0.0.1+x"), Some("p:q/r@0.0.1"));
        assert_eq!(find("p:q/r@0.0.2"), None);
        assert_eq!(find("p:q/r@99999999999999999999.0.0"), None);
    }
}
