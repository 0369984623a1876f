//! The scripts that pack the command and put it where it is found.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::Dir;

fn script(name: &str, args: &[&str], dir: &Dir) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    Command::new(path).args(args).current_dir(dir.path()).output().expect(name)
}

#[track_caller]
fn fails_saying(output: &Output, part: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains(part), "no '{part}' in {output:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn what_is_packed_can_be_installed() {
    let dir = Dir::new();
    let released =
        script("scripts/release", &["--out", "out", "--zwasm", env!("CARGO_BIN_EXE_zwasm")], &dir);
    assert!(released.status.success(), "{released:?}");
    let tarball = String::from_utf8(released.stdout).unwrap();
    let tarball = tarball.trim();
    let installed = script("install.sh", &[tarball, "--to", "here/bin"], &dir);
    assert!(installed.status.success(), "{installed:?}");
    let here = dir.path().join("here");
    let version = Command::new(here.join("bin/zwasm")).arg("version").output().unwrap();
    assert!(version.status.success());
    for file in [
        "share/man/man1/zwasm.1",
        "share/bash-completion/completions/zwasm",
        "share/zsh/site-functions/_zwasm",
        "share/fish/vendor_completions.d/zwasm.fish",
        "share/doc/zwasm/LICENSE-MIT",
    ] {
        assert!(here.join(file).metadata().is_ok_and(|file| file.len() > 0), "{file}");
    }

    let mut bytes = std::fs::read(dir.path().join(tarball)).unwrap();
    bytes[100] ^= 1;
    std::fs::write(dir.path().join(tarball), bytes).unwrap();
    fails_saying(&script("install.sh", &[tarball, "--to", "there"], &dir), "is damaged");
    assert!(!dir.path().join("there").exists());
}

#[test]
fn wrong_usage_is_told() {
    let dir = Dir::with(&[("no.tar.gz", "no tarball")]);
    fails_saying(&script("install.sh", &[], &dir), "no tarball given");
    fails_saying(&script("install.sh", &["missing.tar.gz"], &dir), "'missing.tar.gz'");
    fails_saying(&script("install.sh", &["no.tar.gz", "--frob"], &dir), "'--frob'");
    fails_saying(&script("install.sh", &["no.tar.gz", "--to"], &dir), "'--to' needs");
    fails_saying(&script("scripts/release", &["--frob"], &dir), "'--frob'");
    fails_saying(&script("scripts/release", &["--zwasm", "missing"], &dir), "'missing'");
}
