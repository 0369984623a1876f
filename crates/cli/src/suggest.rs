//! Nearest names for mistyped flags, commands and exports.
//!
//! The distance counts insertions, deletions, substitutions and swaps of
//! neighbours, each as one (optimal string alignment): `--invkoe` is one slip
//! away from `--invoke`, not two. A candidate is offered only when fewer than
//! a third of its characters are wrong, so that unrelated names stay silent.

/// The candidate nearest to `word`, if one is near enough to be a likely slip.
///
/// Of equally near candidates the first one wins.
pub fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_COMPARED).collect();
    candidates
        .iter()
        .filter_map(|&name| {
            let chars: Vec<char> = name.chars().take(MAX_COMPARED).collect();
            let wrong = distance(&word, &chars);
            let allowed = (word.len().max(chars.len()) / 3).max(1);
            (wrong <= allowed && wrong < chars.len()).then_some((wrong, name))
        })
        .min_by_key(|&(wrong, _)| wrong)
        .map(|(_, name)| name)
}

/// A parenthesis offering the nearest candidate, to follow an error message;
/// empty when nothing is near.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates) {
        Some(name) => format!(" (did you mean '{name}'?)"),
        None => String::new(),
    }
}

/// The candidate that a word is a slip in beyond much doubt: a long one, of which hardly
/// anything is wrong.
pub fn slip<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_COMPARED).collect();
    let is_slip = |name: &str| {
        let name: Vec<char> = name.chars().collect();
        let allowed = if name.len() >= CLEAR { 2 } else { 1 };
        name.len() >= LONG && distance(&word, &name) <= allowed
    };
    candidates.iter().copied().find(|name| is_slip(name))
}

/// Characters from which on one that is wrong leaves little doubt.
const LONG: usize = 8;

/// Characters from which on two that are wrong leave little doubt.
const CLEAR: usize = 12;

/// Exports of mangled code may be kilobytes long; slips show in the beginning.
const MAX_COMPARED: usize = 64;

fn distance(a: &[char], b: &[char]) -> usize {
    // Three rows of the usual table: two back (for swaps), one back, current.
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut row = above.clone();
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let substitute = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substitute.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(a: &str, b: &str) -> usize {
        let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
        distance(&a, &b)
    }

    #[test]
    fn distances() {
        assert_eq!(edits("", ""), 0);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("add", "add"), 0);
        assert_eq!(edits("ad", "add"), 1);
        assert_eq!(edits("invkoe", "invoke"), 1);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("ca", "abc"), 3);
    }

    #[test]
    fn only_likely_slips_are_offered() {
        let names = ["--invoke", "--dir", "--env", "--allow-env"];
        assert_eq!(nearest("--invok", &names), Some("--invoke"));
        assert_eq!(nearest("--dri", &names), Some("--dir"));
        assert_eq!(nearest("--frobnicate", &names), None);
        assert_eq!(nearest("x", &["y"]), None);
        assert_eq!(nearest("", &["a"]), None);
        assert_eq!(nearest("ad", &["sub", "add"]), Some("add"));
    }

    #[test]
    fn slips_are_beyond_doubt() {
        let names = ["--invoke", "--env", "--sandbox", "--max-memory"];
        assert_eq!(slip("--invkoe", &names), Some("--invoke"));
        assert_eq!(slip("--sandbx", &names), Some("--sandbox"));
        assert_eq!(slip("--max-mem0ri", &names), Some("--max-memory"));
        for word in ["--end", "--input", "--inbok", "--quiet", ""] {
            assert_eq!(slip(word, &names), None, "{word}");
        }
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(nearest("fob", &["foo", "fab"]), Some("foo"));
    }

    #[test]
    fn hints() {
        assert_eq!(did_you_mean("ad", &["add"]), " (did you mean 'add'?)");
        assert_eq!(did_you_mean("zzz", &["add"]), "");
    }

    #[test]
    fn long_names_are_cheap() {
        let long = "a".repeat(1 << 20);
        assert_eq!(nearest(&long, &["b"]), None);
    }
}
