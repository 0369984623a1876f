//! Components that the tools of many languages made, with the output that wasmtime gives.
//! They are data of others and lie beside the repository, where they are present.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use crate::json_reader::Json;
use crate::programs::{PATIENCE, WORKERS, corpus, names};
use crate::support::{Dir, Outcome, zwasm};

fn read(path: &Path) -> Json {
    Json::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A field of an object.
fn field<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    let Json::Object(fields) = json else { return None };
    fields.iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    match field(json, name)? {
        Json::Text(text) | Json::Literal(text) => Some(text),
        Json::Array(_) | Json::Object(_) => None,
    }
}

fn list<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    match field(json, name) {
        Some(Json::Array(items)) => items,
        _ => &[],
    }
}

fn texts(json: &Json, name: &str) -> Vec<String> {
    let text = |item: &Json| match item {
        Json::Text(text) => text.clone(),
        other => panic!("{name}: {other:?}"),
    };
    list(json, name).iter().map(text).collect()
}

/// Pairs of names and texts.
fn variables(json: &Json, name: &str) -> Vec<(String, String)> {
    let Some(Json::Object(fields)) = field(json, name) else { return Vec::new() };
    let pair = |(name, value): &(String, Json)| match value {
        Json::Text(text) => (name.clone(), text.clone()),
        other => panic!("{name}: {other:?}"),
    };
    fields.iter().map(pair).collect()
}

/// Does each of these, some at a time; what failed.
fn all<T: Send>(items: Vec<T>, check: impl Fn(T) -> Result<(), String> + Sync) {
    let total = items.len();
    let queue = Mutex::new(items.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(item) = { queue.lock().unwrap().next() } {
                    if let Err(failure) = check(item) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {total}:\n{}", failures.len(), failures.join("\n"));
}

/// The component of an entry, unpacked if it is packed; none if nothing here unpacks it.
fn component(root: &Path, name: &str, into: &Dir) -> Option<PathBuf> {
    let path = root.join(name);
    if path.extension().is_some_and(|extension| extension != "xz") {
        return Some(path);
    }
    let Ok(unpacked) = Command::new("xz").arg("-dc").arg(&path).output() else {
        println!("passed over: nothing unpacks {}", path.display());
        return None;
    };
    assert!(unpacked.status.success(), "{unpacked:?}");
    Some(into.write(name.strip_suffix(".xz").unwrap(), unpacked.stdout))
}

/// The runs of every component for WASI 0.2, or for none.
#[test]
fn components_of_many_languages() {
    let Some(root) = corpus("components") else { return };
    let manifest = read(&root.join("manifest.json"));
    let unpacked = Dir::new();
    let mut runs = Vec::new();
    for entry in list(&manifest, "components") {
        // What is asynchronous is for a later version.
        if text(entry, "wasi").is_some_and(|version| version.starts_with("0.3")) {
            continue;
        }
        let name = text(entry, "file").unwrap();
        let Some(path) = component(&root, name, &unpacked) else { continue };
        runs.extend(list(entry, "runs").iter().map(|run| (path.clone(), run)));
    }
    assert!(runs.len() > 100, "{}", runs.len());
    all(runs, |(path, run)| as_recorded(&path, run));
}

/// Makes a run as it was recorded.
fn as_recorded(path: &Path, run: &Json) -> Result<(), String> {
    let mut words = Vec::new();
    for grant in texts(run, "grant") {
        words.extend(match grant.as_str() {
            "net" | "lookup" => Some("--allow-net".to_owned()),
            "http" => Some("--allow-http".to_owned()),
            _ => None,
        });
    }
    let given = Dir::new();
    for (at, guest) in texts(run, "dirs").into_iter().enumerate() {
        let host = given.path().join(at.to_string());
        std::fs::create_dir_all(host.join("d")).unwrap();
        std::fs::write(host.join("outside.txt"), "outside").unwrap();
        words.extend(["--dir".into(), format!("{}::{guest}", host.join("d").display())]);
    }
    for (name, value) in variables(run, "env") {
        words.extend(["--env".into(), format!("{name}={value}")]);
    }
    let invoke = text(run, "invoke").map(str::to_owned);
    words.extend(invoke.iter().flat_map(|call| ["--invoke".to_owned(), call.clone()]));
    words.extend([path.display().to_string(), "--".into()]);
    let args = texts(run, "args");
    words.extend(args.iter().cloned());
    let stdin = match field(run, "stdin") {
        Some(Json::Text(text)) => text.clone(),
        Some(repeated) => {
            let times = text(repeated, "times").unwrap().parse().unwrap();
            text(repeated, "repeat").unwrap().repeat(times)
        }
        None => String::new(),
    };
    let outcome = zwasm(words).stdin(stdin).patience(PATIENCE).run();
    let expected = field(run, "expect").unwrap();
    let error = outcome.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or("");
    let ended = match text(expected, "exit").unwrap() {
        // A value that is none may be a trap, or not.
        "trap" => outcome.code == Some(1) && error.starts_with("error: trap: "),
        "error" => outcome.code == Some(1) && !error.is_empty(),
        code => outcome.code == code.parse().ok() && error.is_empty(),
    };
    let stdout = text(expected, "stdout").unwrap();
    let said = match stdout.starts_with("sha256:") {
        true => format!("sha256:{} bytes:{}", digest(&outcome.stdout), outcome.stdout.len()),
        false => outcome.text(),
    };
    match ended && said == stdout {
        true => Ok(()),
        false => Err(format!("{} {invoke:?} {args:?}: {outcome:?}", path.display())),
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = hmac_sha256::Hash::hash(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Programs for preview 1 in an adapter, whose tests are those of preview 1.
#[test]
fn wrapped_programs() {
    let Some(root) = corpus("p2-components/from-p1-wasi-testsuite") else { return };
    let folders = ["assemblyscript", "c", "rust"].map(|name| root.join(name));
    let programs: Vec<_> = folders.iter().flat_map(|folder| names(folder, "wasm")).collect();
    assert_eq!(programs.len(), 68);
    all(programs, |program| {
        let told = program.with_extension("json");
        let told = if told.exists() { read(&told) } else { Json::Object(Vec::new()) };
        let mut words = Vec::new();
        let given = Dir::new();
        if let Some(root) = text(&told, "root") {
            copy(&program.with_file_name(root), given.path());
            words.extend(["--dir".into(), format!("{}::/", given.path().display())]);
        }
        for (name, value) in variables(&told, "env") {
            words.extend(["--env".into(), format!("{name}={value}")]);
        }
        words.extend([program.display().to_string(), "--".into()]);
        words.extend(texts(&told, "args"));
        let outcome = zwasm(words).patience(PATIENCE).run();
        let code = text(&told, "exit_code").map_or(0, |code| code.parse().unwrap());
        let said = text(&told, "stdout").is_none_or(|stdout| outcome.text() == stdout);
        match outcome.code == Some(code) && said {
            true => Ok(()),
            false => Err(format!("{outcome:?}")),
        }
    });
}

/// Copies a folder with what is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), &to).unwrap()),
        }
    }
}

/// A component that was made for WASI 0.2.
fn native(name: &str, words: &[&str]) -> Option<Outcome> {
    let path = corpus("p2-components/native")?.join(format!("{name}.wasm"));
    let words = words.iter().copied();
    Some(zwasm([path.to_str().unwrap()].into_iter().chain(words)).patience(PATIENCE).run())
}

#[test]
fn native_programs() {
    for (name, words, printed) in [
        ("jco_hello_stdout.component", &[][..], "writing to stdout: hello, world\n"),
        ("jco_stdout-pollable-hang.component", &[], ""),
        ("jco_utf8-utf16.composed", &["--", "été"], "ret: étéété\n"),
        ("wasi_p2_hello_go", &[], "hello\n"),
        ("wasi_p2_hello_rust", &[], "hello from a real rust wasip2 component\n"),
    ] {
        let Some(outcome) = native(name, words) else { return };
        assert_eq!((outcome.code, outcome.text().as_str()), (Some(0), printed), "{outcome:?}");
    }
    // It sees the files that are built into it, and no others.
    let given = Dir::with(&[("file", "")]);
    let dir = format!("{}::/", given.path().display());
    let outcome = native("jco_dir.virt", &["--dir", &dir, "--", "/"]).unwrap();
    assert_eq!((outcome.code, outcome.text().as_str()), (Some(1), "Listing directory: /\n"));
    for (name, printed) in [("wasi_p2_fs_go", "FS-OK b.txt\n"), ("wasi_p2_fs_err_go", "ERR-OK\n")] {
        let given = Dir::new();
        let dir = format!("{}::/work", given.path().display());
        native(name, &["--dir", &dir]).unwrap().prints(printed);
    }
}

#[test]
fn native_programs_talk_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let echo = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 64];
        let length = stream.read(&mut bytes).unwrap();
        stream.write_all(&bytes[..length]).unwrap();
    });
    let Some(outcome) = native("wasi_p2_tcp_rust", &["--allow-net", "--", &port]) else { return };
    outcome.prints("got ping\n");
    echo.join().unwrap();
    // Without leave it does not get so far.
    let refused = native("wasi_p2_tcp_rust", &["--", &port]).unwrap();
    assert_eq!((refused.code, refused.text().as_str()), (Some(1), ""), "{refused:?}");
    assert!(refused.stderr.contains("'--allow-net'"), "{refused:?}");
    // One that listens: the port is free, for all that is known.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = std::thread::spawn(move || {
        for _ in 0..3000 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
                stream.write_all(b"hello").unwrap();
                let mut bytes = [0; 5];
                stream.read_exact(&mut bytes).unwrap();
                return bytes;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nobody listens");
    });
    let words = ["--allow-net", "--", &port.to_string()];
    native("wasi_p2_listen_rust", &words).unwrap().prints(&format!("served hello on {port}\n"));
    assert_eq!(client.join().unwrap(), *b"hello");
}
