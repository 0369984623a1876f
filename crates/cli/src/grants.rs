//! The capabilities that a program has, as the command line decides, and telling which
//! option would have granted what the program was refused.
//!
//! Whoever runs a program wants to see what it prints and how it ended, and most programs
//! ask for the time and random numbers as they start: so that these need no flag. A
//! directory is given to be used; a flag may say what for. Everything else takes a flag,
//! and what is denied stays denied. In a sandbox only the streams and exiting need none.

use zwasm_wasi::Capabilities;

/// What may be done to files.
const FILES: [Capabilities; 3] = [Capabilities::READ, Capabilities::WRITE, Capabilities::PATH];

/// What flags allow and deny.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grants {
    pub allowed: Capabilities,
    pub denied: Capabilities,
}

impl Default for Grants {
    fn default() -> Self {
        Self { allowed: Capabilities::NONE, denied: Capabilities::NONE }
    }
}

impl Grants {
    /// What a program may do, which is given directories or not.
    pub fn capabilities(self, sandbox: bool, has_dirs: bool) -> Capabilities {
        let mut all = self.allowed | Capabilities::STDIO | Capabilities::EXIT;
        if !sandbox {
            all.insert(Capabilities::CLOCK | Capabilities::RANDOM);
            if has_dirs && !FILES.iter().any(|one| all.contains(*one)) {
                FILES.iter().for_each(|one| all.insert(*one));
            }
        }
        all.remove(self.refused());
        all
    }

    /// What is denied. Whoever denies writing and says nothing of paths wants
    /// directories to stay as they are, too.
    fn refused(self) -> Capabilities {
        let mut all = self.denied;
        if all.contains(Capabilities::WRITE) && !self.allowed.contains(Capabilities::PATH) {
            all.insert(Capabilities::PATH);
        }
        all
    }

    /// The remark on a program that was refused something, if it was.
    pub fn refusal(self, refused: Capabilities) -> Option<String> {
        let denied = self.refused();
        let (mut allow, mut deny) = (Vec::new(), Vec::new());
        for name in refused.names() {
            let one = Capabilities::named(name).unwrap_or(Capabilities::NONE);
            if !denied.contains(one) {
                allow.push(format!("'--allow-{name}'"));
            } else if self.denied.contains(one) {
                deny.push(format!("'--deny-{name}'"));
            } else if !refused.contains(Capabilities::WRITE) {
                deny.push("'--deny-write'".into());
            }
        }
        let things = if allow.len() + deny.len() > 1 { "things" } else { "something" };
        let reason = |flags: &[String], one: &str, more: &str| match flags {
            [] => None,
            [flag] => Some(format!("{flag} {one}")),
            [rest @ .., last] => Some(format!("{} and {last} {more}", rest.join(", "))),
        };
        let reasons = [reason(&allow, "allows", "allow"), reason(&deny, "denies", "deny")];
        let reasons: Vec<_> = reasons.into_iter().flatten().collect();
        if reasons.is_empty() {
            return None;
        }
        Some(format!("the program was refused {things} that {}", reasons.join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Capabilities = Capabilities::NONE;
    const ALWAYS: [&str; 2] = ["stdio", "exit"];

    fn names(allowed: Capabilities, denied: Capabilities, sandbox: bool, dirs: bool) -> String {
        let all = Grants { allowed, denied }.capabilities(sandbox, dirs);
        assert!(ALWAYS.iter().all(|name| all.names().any(|other| other == *name)));
        let rest: Vec<_> = all.names().filter(|name| !ALWAYS.contains(name)).collect();
        rest.join(" ")
    }

    #[test]
    fn what_a_program_may_do() {
        use Capabilities as C;
        for (allowed, denied, sandbox, dirs, expected) in [
            (NONE, NONE, false, false, "clock random"),
            (NONE, NONE, false, true, "read write path clock random"),
            (NONE, NONE, true, true, ""),
            (C::READ, NONE, true, true, "read"),
            (C::READ, NONE, false, true, "read clock random"),
            (C::PATH, NONE, false, true, "path clock random"),
            (C::NET, NONE, false, true, "read write path clock random net"),
            (NONE, C::CLOCK, false, true, "read write path random"),
            (NONE, C::WRITE, false, true, "read clock random"),
            (NONE, C::READ, false, true, "write path clock random"),
            (C::PATH, C::WRITE, false, true, "path clock random"),
            (C::CLOCK, C::CLOCK, true, false, ""),
            (C::ALL, C::NET | C::HTTP, true, false, "read write path env clock random proc"),
        ] {
            assert_eq!(names(allowed, denied, sandbox, dirs), expected, "{allowed:?} {denied:?}");
        }
    }

    #[test]
    fn refusals_name_the_flags() {
        let grants = Grants::default();
        assert_eq!(grants.refusal(NONE), None);
        let one = grants.refusal(Capabilities::CLOCK).unwrap();
        assert_eq!(one, "the program was refused something that '--allow-clock' allows");
        let three = Capabilities::READ | Capabilities::PATH | Capabilities::CLOCK;
        let said = grants.refusal(three).unwrap();
        assert!(said.ends_with("that '--allow-read', '--allow-path' and '--allow-clock' allow"));
        let denied = Grants { denied: Capabilities::CLOCK | Capabilities::WRITE, ..grants };
        let said = denied.refusal(Capabilities::CLOCK).unwrap();
        assert_eq!(said, "the program was refused something that '--deny-clock' denies");
        let said = denied.refusal(Capabilities::NET | Capabilities::CLOCK).unwrap();
        let end = "refused things that '--allow-net' allows and '--deny-clock' denies";
        assert!(said.ends_with(end), "{said}");
        let said = denied.refusal(Capabilities::PATH).unwrap();
        assert!(said.ends_with("refused something that '--deny-write' denies"), "{said}");
        let said = denied.refusal(Capabilities::PATH | Capabilities::WRITE).unwrap();
        assert!(said.ends_with("refused something that '--deny-write' denies"), "{said}");
    }
}
