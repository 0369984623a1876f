//! Words of command lines, and what they come to.

use zwasm_wasi::Capabilities;

use super::*;

fn words(line: &str) -> Result<Command, String> {
    parse(line.split_whitespace().map(OsString::from), || Ok(Vec::new()))
}

fn run(line: &str) -> Run {
    match words(line) {
        Ok(Command::Run(run)) => *run,
        other => panic!("{line}: {other:?}"),
    }
}

fn error(line: &str) -> String {
    words(line).expect_err(line)
}

fn validate(file: &str, features: &[Switch]) -> Result<Command, String> {
    let features = features.to_vec();
    Ok(Command::Validate(Check { file: file.into(), features, json: Format::Words }))
}

#[test]
fn commands() {
    assert_eq!(run("a.wasm"), run("run a.wasm"));
    assert_eq!(run("./run").file, PathBuf::from("./run"));
    assert_eq!(run("run run").file, PathBuf::from("run"));
    assert_eq!(words("validate a.wasm"), validate("a.wasm", &[]));
    assert_eq!(words("validate -- -a"), validate("-a", &[]));
    let features = [(Feature::Simd, false), (Feature::Threads, true)];
    assert_eq!(words("validate --disable=simd a --enable threads"), validate("a", &features));
    assert_eq!(run("a --disable=simd --enable threads").features, features);
    assert_eq!(words("features"), Ok(Command::Features(Format::Words)));
    assert_eq!(words("features --json"), Ok(Command::Features(Format::Json)));
    for line in ["help", "--help", "-h", "-h a.wasm", "a.wasm --invoke f -h"] {
        assert_eq!(words(line), Ok(Command::Help(None)), "{line}");
    }
    for line in ["run --help", "help run", "run -h a.wasm"] {
        assert_eq!(words(line), Ok(Command::Help(Some(&COMMANDS[0]))), "{line}");
    }
    for line in ["validate -h", "help validate", "validate a --help"] {
        assert_eq!(words(line), Ok(Command::Help(command("validate"))), "{line}");
    }
    let inspect = Check { file: "a".into(), json: Format::Json, ..Check::default() };
    assert_eq!(words("inspect --json a"), Ok(Command::Inspect(inspect)));
    assert_eq!(words("completions fish"), Ok(Command::Completions(Shell::Fish)));
    assert_eq!(words("man"), Ok(Command::Man));
    for line in ["version", "--version", "-V", "-V a.wasm"] {
        assert_eq!(words(line), Ok(Command::Version), "{line}");
    }
}

#[test]
fn words_belong_to_the_function_or_the_program() {
    let r = run("a.wasm --invoke add 2 3");
    assert_eq!((r.invoke.as_deref(), r.call_args.len()), (Some("add"), 2));
    assert!(r.program_args.is_empty());
    assert_eq!(run("--invoke add a.wasm 2 3"), r);
    assert_eq!(run("a.wasm 2 --invoke=add 3"), r);
    let r = run("a.wasm one --allow-all two -- --three");
    assert_eq!(r.program_args, ["one", "two", "--three"]);
    let r = run("a.wasm --invoke f 1 -- x -- y");
    assert_eq!(r.call_args, ["1"]);
    assert_eq!(r.program_args, ["x", "--", "y"]);
    assert_eq!(run("-- --odd.wasm x").file, PathBuf::from("--odd.wasm"));
    assert_eq!(run("-- --odd.wasm x").program_args, ["x"]);
}

#[test]
fn negative_numbers_are_words() {
    let numbers = "-5 -6.28 -.5 -inf -NaN -nan:0x1 -nan:canonical -0x1p-3 -0x10 -1e9 -";
    let r = run(&format!("a --invoke f {numbers} --dir ."));
    assert_eq!(r.call_args.join(" "), numbers);
    assert_eq!(r.dirs.len(), 1);
    assert!(error("a --invoke f -x").contains("'-x'"));
    assert!(error("a --invoke f -info").contains("'-info'"));
}

#[test]
fn values() {
    let r = run("a --dir . --dir /host::/guest --env A=1 --env=B=x=y --env C=");
    let dirs: Vec<_> = r.dirs.iter().map(|d| (d.host.as_str(), d.guest.as_str())).collect();
    assert_eq!(dirs, [(".", "."), ("/host", "/guest")]);
    let dirs = run("a --dir x:ro --dir y::/z:ro --dir y::z").dirs;
    let ro: Vec<_> = dirs.iter().map(|d| (d.guest.as_str(), d.read_only)).collect();
    assert_eq!(ro, [("x", true), ("/z", true), ("z", false)]);
    let env: Vec<_> = r.env.iter().map(|(k, v)| (k.as_str(), v.as_deref())).collect();
    assert_eq!(env, [("A", Some("1")), ("B", Some("x=y")), ("C", Some(""))]);
    assert_eq!(run("a --env A=1 --env A=2").env, [("A".into(), Some("2".into()))]);
    assert_eq!(run("a --env A=1 --env A").env, [("A".into(), None)]);
    let r = run("a --max-memory 16777216 --max-stack 64k");
    assert_eq!((r.max_memory, r.max_stack), (Some(16 << 20), Some(64 << 10)));
    assert_eq!(run("a").engine, None);
    assert_eq!(run("a --engine interp").engine, Some(Strategy::Interpreter));
    assert_eq!(run("a --engine=baseline").engine, Some(Strategy::Baseline));
    assert_eq!(run("a --engine auto").engine, Some(Strategy::Auto));
    assert_eq!(run("a --engine mixed:7").engine, Some(Strategy::Mixed(7)));
    assert!(run("a --engine auto:baseline").stays_baseline && !run("a").stays_baseline);
    assert_eq!(run("a --max-memory 4G").max_memory, Some(4 << 30));
    assert_eq!(run("a --max-total 1G").max_total, Some(1 << 30));
    assert_eq!(run("a --max-code 1M").max_code, Some(1 << 20));
    let r = run("a --sandbox --fuel 1000 --timeout=250 --max-gc-heap 1M");
    assert_eq!((r.sandbox, r.fuel, r.max_gc_heap), (true, Some(1000), Some(1 << 20)));
    assert_eq!(r.timeout, Some(Duration::from_millis(250)));
    let r = run("a --timeout 1.5s --fuel 2M --max-memory 1.5MiB --argv0 b");
    assert_eq!((r.timeout, r.fuel), (Some(Duration::from_millis(1500)), Some(2_000_000)));
    assert_eq!((r.max_memory, r.argv0.as_deref()), (Some(3 << 19), Some("b")));
    assert_eq!(run("a --unknown-imports trap").unknown_imports, Some(Unknown::Trap));
}

#[test]
fn batches_and_links() {
    let r = run("a.wasm --batch --invoke f --link m=m.wasm --link=n=x=y.wat -- w");
    assert!(r.batch && r.call_args.is_empty());
    assert_eq!(r.program_args, ["w"]);
    let link = |name: &str, file: &str| Link { name: name.into(), file: file.into() };
    assert_eq!(r.links, [link("m", "m.wasm"), link("n", "x=y.wat")]);
    assert_eq!(run("a --link =m.wasm").links, [link("", "m.wasm")]);
    assert_eq!(run("a --link==m.wasm").links, [link("", "m.wasm")]);
}

#[test]
fn options_of_the_program() {
    let r = run("cc1.wasm -quiet x.c --std=c11 --dir . -o x.s --end");
    assert_eq!(r.program_args, ["-quiet", "x.c", "--std=c11", "-o", "x.s", "--end"]);
    assert_eq!(r.dirs.len(), 1);
    assert_eq!(run("a -h --version --json --help").program_args.len(), 4);
    assert_eq!(run("--json a").json, Format::Json);
    // A function has none, nor have lines.
    assert!(error("a --invoke f -quiet").contains("'-quiet'"));
    assert!(error("a -quiet --batch").contains("'-quiet'"));
    assert_eq!(run("a -- --invoke f").program_args, ["--invoke", "f"]);
    // What would be lost is not passed on.
    let message = "unknown option '--sandbx' (did you mean '--sandbox'?); words for the program \
                   go after '--'";
    assert_eq!(error("a --sandbx"), message);
    assert_eq!(run("a -- --sandbx").program_args, ["--sandbx"]);
    assert!(error("a --allow-al").contains("'--allow-all'"));
    assert!(error("--quiet a").contains("the program's own options go behind its file"));
}

#[test]
fn layers() {
    let layered = |below: &str, line: &str| {
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect();
        let mut layer = Layer::new();
        let mut all = Words {
            command: &COMMANDS[0],
            named: None,
            words: words(below),
            calls: false,
            to_program: false,
        };
        while let Some(Part::Option(setting)) = all.next().unwrap() {
            layer.push(Setting { origin: "here: ".into(), ..setting });
        }
        let words: VecDeque<OsString> = words(line);
        match parse(words, || Ok(vec![layer])) {
            Ok(Command::Run(run)) => Ok(*run),
            Err(message) => Err(message),
            Ok(other) => panic!("{other:?}"),
        }
    };
    let r = layered("--timeout 1s --dir x --engine jit", "a --timeout 2s --dir y").unwrap();
    assert_eq!(r.timeout, Some(Duration::from_secs(2)));
    assert_eq!((r.dirs.len(), r.engine), (2, Some(Strategy::Optimizing)));
    assert_eq!(layered("--dir x", "a --no-config").unwrap(), run("a"));
    assert_eq!(
        layered("--fuel x", "a").unwrap_err(),
        "here: option '--fuel' expects a number of instructions, got 'x'"
    );
    assert!(layered("--fuel 1 --fuel 2", "a").unwrap_err().contains("twice"));
    // In a sandbox nothing counts that would open it.
    let below = "--allow-all --deny-net --dir x --env A=1 --listen b:1 --max-memory 8G --fuel 99 \
                 --max-total 9G --max-code 9G --max-gc-heap 9G --max-stack 9G --timeout 1s";
    let r = layered(below, "a --sandbox --allow-read").unwrap();
    let mut expected = run("a --sandbox --allow-read --timeout 1s");
    expected.grants.denied = Capabilities::NET;
    assert_eq!(r, expected);
    // One that stands below has what stands beside it.
    assert!(layered("--sandbox --dir x", "a").unwrap().dirs.len() == 1);
}

#[test]
fn json_of_two_kinds() {
    assert_eq!(run("a").json, Format::Words);
    assert_eq!(run("--json a").json, Format::Json);
    assert_eq!(run("a --json --invoke f").json, Format::Json);
    assert_eq!(run("--json a safe").program_args, ["safe"]);
    assert_eq!(run("--json=safe a").json, Format::SafeJson);
    assert_eq!(words("features --json=safe"), Ok(Command::Features(Format::SafeJson)));
    assert!(error("validate --json=save a").ends_with("got 'save' (did you mean 'safe'?)"));
}

#[cfg(all(feature = "optimize", feature = "trace"))]
#[test]
fn functions_and_passes() {
    let r = run("a --dump-ssa=3 --dump-ssa 4=gvn");
    assert_eq!(r.dump_ssa, [(3, None), (4, Some("gvn".into()))]);
    assert!(error("a --dump-ssa gvn=1").contains("index of a function, got 'gvn'"));
}

#[cfg(feature = "trace")]
#[test]
fn observing() {
    use crate::observe::{Format, Profiling};
    let r = run("a --dump-regir=3 --dump-regir 4 --trace=call,mem --trace exec,wasi --profile");
    assert_eq!((r.dump_regir, r.profile), (vec![3, 4], Some(Profiling::Counts)));
    let svg = Profiling::File("p.svg".into(), Format::Svg);
    assert_eq!(run("a --profile=p.svg").profile, Some(svg));
    assert!(error("a --profile=p.png").contains("ends in .svg or .json, got 'p.png'"));
    assert!(error("a --profile --profile").contains("'--profile' is given twice"));
    assert!(
        r.trace_wasi
            && r.trace.contains(zwasm::Trace::EXEC)
            && r.trace.contains(zwasm::Trace::CALL)
    );
    assert!(error("a --dump-regir x").contains("index of a function, got 'x'"));
    assert!(error("a --trace=cal").contains("'call'?"));
}

#[test]
fn grants_add_up() {
    use Capabilities as C;
    let r = run("a --allow-read --allow-env --deny-clock");
    assert_eq!((r.grants.allowed, r.grants.denied), (C::READ | C::ENV, C::CLOCK));
    let names = || C::ALL.names().filter(|name| !["stdio", "exit"].contains(name));
    let all: String = names().map(|name| format!(" --allow-{name} --deny-{name}")).collect();
    let grants = run(&format!("a{all}")).grants;
    assert_eq!(grants.allowed, grants.denied);
    assert_eq!(grants.allowed | C::STDIO | C::EXIT, run("a --allow-all").grants.allowed);
    assert_eq!(run("a --sandbox").grants, Grants::default());
    let r = run("a --sandbox --allow-read --trace=wasi --listen=[::1]:80");
    assert!(r.sandbox && r.trace_wasi && r.grants.allowed.contains(C::READ));
    assert_eq!(r.listen, ["[::1]:80"]);
}

#[test]
fn errors_name_the_word() {
    for (line, part) in [
        ("", "no file"),
        ("--allow-all", "no file"),
        ("run", "no file"),
        ("--", "no file"),
        ("a --invok f", "unknown option '--invok' (did you mean '--invoke'?)"),
        ("a --invoke f --std", "unknown option '--std' (words for the program go after '--')"),
        ("compile a", "there is no command 'compile': code is compiled while it runs"),
        #[cfg(not(feature = "serve"))]
        ("serve --addr x a", "there is no command 'serve'"),
        #[cfg(feature = "serve")]
        ("serve a b", "'serve' takes one file, got 'b' as well"),
        ("help explore", "there is no command 'explore': '--dump-regir N'"),
        ("objdump a", "there is no command 'objdump'"),
        ("--frob a", "unknown option '--frob'"),
        ("validate a --jsno", "unknown option '--jsno' (did you mean '--json'?)"),
        ("features --frob", "unknown option '--frob' ('zwasm help' shows the usage)"),
        ("a --link m", "'--link' expects NAME=FILE, got 'm'"),
        ("a --link m=", "'--link' expects NAME=FILE, got 'm='"),
        ("a --link m=a --link m=b", "'--link' gives the name 'm' twice"),
        ("a --batch --invoke f 1", "not as words: '1'"),
        ("- --batch", "cannot both read standard input"),
        ("completions", "bash, zsh or fish"),
        ("completions csh", "'csh'"),
        ("completions bash zsh", "does not take 'zsh'"),
        ("help inspct", "no command 'inspct' (did you mean 'inspect'?)"),
        ("version a", "'version' does not take 'a'"),
        ("-x=3 a", "unknown option '-x'"),
        ("a --invoke", "'--invoke' needs a value: NAME"),
        ("a --invoke --dir .", "'--invoke' needs a value: NAME"),
        ("a --allow-all=yes", "'--allow-all' takes no value"),
        ("a --invoke f --invoke g", "'--invoke' is given twice"),
        ("a --env A:b:c", "KEY=VALUE or KEY, got 'A:b:c' (did you mean 'A=b:c'?)"),
        ("a --env =A", "KEY=VALUE or KEY, got '=A' without a key"),
        ("a --unknown-imports tarp", "trap or default, got 'tarp' (did you mean 'trap'?)"),
        ("--mapdir x a", "unknown option '--mapdir' (here it is '--dir HOST::GUEST')"),
        ("--preload m=x a", "(here it is '--link NAME=FILE')"),
        ("a --dir x::y:rw", "option '--dir' knows ':ro' only: 'x::y' is writable anyway"),
        ("- --link m=-", "two modules '-'"),
        ("a --link m=- --batch", "cannot both read standard input"),
        ("a --dir ::x", "HOST::GUEST, got '::x'"),
        ("a --dir x::", "HOST::GUEST, got 'x::'"),
        ("a --dir :ro", "HOST::GUEST, got ':ro'"),
        ("a --trace wasi,wsi", "wasi, got 'wsi' (did you mean 'wasi'?)"),
        ("a --max-memory 1.5", "'--max-memory' expects a number of bytes, got '1.5'"),
        ("a --max-memory -1", "got '-1'"),
        ("a --max-memory +1", "got '+1'"),
        ("a --max-memory K", "got 'K'"),
        ("a --max-stack 99999999999999999999", "'--max-stack' expects"),
        ("a --max-stack 99999999999999G", "'--max-stack' expects"),
        ("a --fuel 1.5", "'--fuel' expects a number of instructions, got '1.5'"),
        ("a --fuel 99999999999999999999", "'--fuel' expects"),
        ("a --timeout 1.5", "'--timeout' expects milliseconds or a time like 1.5s, got '1.5'"),
        ("a --timeout -1", "got '-1'"),
        ("a --timeout 1 --timeout 2", "'--timeout' is given twice"),
        ("a --engine basline", "unknown engine 'basline' (did you mean 'baseline'?)"),
        ("a --engine turbofan", "unknown engine 'turbofan' (interp, baseline, jit or auto)"),
        ("a --engine", "'--engine' needs a value: NAME"),
        ("a --engine auto --engine auto", "'--engine' is given twice"),
        ("a --disable smid", "unknown feature 'smid' (did you mean 'simd'?)"),
        ("a --disable", "'--disable' needs a value: FEATURE"),
        ("features a", "'features' does not take 'a'"),
        ("validate --disable", "'--disable' needs a value: FEATURE"),
        ("validate", "needs a file"),
        ("validate a b", "one file"),
        ("validate a --invoke f", "'validate' takes no option '--invoke' (it is for 'zwasm run')"),
    ] {
        let message = error(line);
        assert!(message.contains(part), "{line}: {message}");
        assert!(!message.contains('\n'), "{line}: {message}");
    }
}

#[cfg(unix)]
#[test]
fn words_need_not_be_utf8_to_be_files() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(vec![0xff, b'x']);
    let none = || Ok(Vec::new());
    let Ok(Command::Run(r)) = parse([odd()], none) else { panic!() };
    assert_eq!(r.file.as_os_str(), odd());
    assert!(parse(["a".into(), odd()], none).unwrap_err().contains("UTF-8"));
}
