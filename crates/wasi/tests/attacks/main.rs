//! Guests that try to get out: of their directories, of their rights, of their
//! capabilities. Each case is a program of a few calls with the only answers
//! that are allowed; after each, what lies outside is looked at from the
//! host's side.

#![cfg(unix)]

mod cases;
mod ground;
mod guest;
mod race;

use std::path::Path;

use ground::{Ground, SECRET};
use guest::{Guest, program};
use zwasm_wasi::{Capabilities, WasiCtx};

#[test]
fn every_attack_is_refused() {
    let mut failures = Vec::new();
    for case in cases::CASES {
        let ground = Ground::prepare();
        let before = [ground.picture("out"), ground.picture("kept")];
        let mut builder = WasiCtx::builder();
        builder.caps(case.caps).preopen_dir(ground.path("in"), "in").unwrap();
        builder.preopen_dir(ground.path("other"), "other").unwrap();
        builder.preopen_dir_read_only(ground.path("kept"), "kept").unwrap();
        if Path::new("/proc/self").exists() {
            builder.preopen_dir("/proc", "proc").unwrap();
            builder.preopen_dir("/dev", "dev").unwrap();
        }
        let mut guest = Guest::new(&mut builder, &program(case.calls));
        let answers = guest.attack(case.calls.len());
        for ((name, args, expected), answer) in case.calls.iter().zip(answers) {
            if !expected.contains(&answer) {
                let name = format!("{}: {name}{args:?}", case.name);
                failures.push(format!("{name} answers {answer}, not {expected:?}"));
            }
        }
        if guest.knows(SECRET) {
            failures.push(format!("{}: the guest knows the secret", case.name));
        }
        if [ground.picture("out"), ground.picture("kept")] != before {
            failures.push(format!("{}: something outside has changed", case.name));
        }
    }
    assert!(cases::CASES.len() >= 60, "{} cases", cases::CASES.len());
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn refusals_are_remembered_for_the_embedder() {
    for case in cases::CASES.iter().filter(|case| case.refused != Capabilities::NONE) {
        let ground = Ground::prepare();
        let mut builder = WasiCtx::builder();
        builder.caps(case.caps).preopen_dir(ground.path("in"), "in").unwrap();
        builder.preopen_dir(ground.path("other"), "other").unwrap();
        let mut guest = Guest::new(&mut builder, &program(case.calls));
        guest.attack(case.calls.len());
        let refused = guest.store.data().refused();
        assert_eq!(refused, case.refused, "{}", case.name);
    }
}
