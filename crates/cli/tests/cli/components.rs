//! Components: as programs, as libraries whose functions are called, and as what others
//! import from.

use crate::component_guests::{BOTH, LIBRARY, PROGRAM, SHOUTER, run_of, store_of};
use crate::support::{Dir, Outcome, line, zwasm};

fn folder() -> Dir {
    Dir::with(&[("lib.wat", LIBRARY), ("lib.wasm", LIBRARY), ("app.wat", PROGRAM)])
}

/// The outcome of a call of a function of the library.
fn invoke(call: &str) -> Outcome {
    zwasm(["lib.wat", "--invoke", call]).dir(folder().path()).run()
}

#[test]
fn functions_are_called_in_wave() {
    for (call, printed) in [
        ("add(1, 2)", "3\n"),
        ("add ( 4294967295 , 2, ) // around", "1\n"),
        ("api.add(1, 2)", "3\n"),
        ("test:lib/api@1.2.0#add(1, 2)", "3\n"),
        ("test:lib/api.add(2, 2)", "4\n"),
        ("test:lib/api.add@1.2.0(2, 2)", "4\n"),
        ("greet(\"Bo \\u{1F980}\")", "\"Bo 🦀!\"\n"),
        ("greet(\"\"\"\n  two\n  lines\n  \"\"\")", "\"two\\nlines!\"\n"),
        ("move({x: 1, y: some(7)})", "{x: 2, y: some(7)}\n"),
        ("move({y: 7, x: -1})", "{x: 0, y: some(7)}\n"),
        ("move({x: 5})", "{x: 6}\n"),
        ("maybe()", "none\n"),
        ("maybe(3)", "some(3)\n"),
        ("flip(%err)", "red\n"),
        ("flip(red)", "%err\n"),
        ("check(0)", "ok\n"),
        ("check(1)", "err(1)\n"),
        ("nothing", "()\n"),
        ("nothing()", "()\n"),
    ] {
        invoke(call).prints(printed);
    }
    let dir = folder();
    for file in ["lib.wat", "lib.wasm", "run lib.wasm"] {
        line(&dir, &format!("{file} --invoke add 1 2")).prints("3\n");
    }
    let words = ["lib.wasm", "--invoke", "greet", "\"x\"", "--", "for the program"];
    zwasm(words).dir(dir.path()).run().prints("\"x!\"\n");
    let text = std::fs::read(dir.path().join("lib.wat")).unwrap();
    zwasm(["-", "--invoke", "add(1, 1)"]).stdin(text).run().prints("2\n");
    let binary = std::fs::read(dir.path().join("lib.wasm")).unwrap();
    zwasm(["-", "--invoke=add(1, 1)"]).stdin(binary).run().prints("2\n");
}

#[test]
fn results_as_json() {
    for (call, printed) in [
        ("add(1, 2)", "[3]"),
        ("greet(\"é\\n\")", r#"["é\n!"]"#),
        ("move({x: 1, y: 7})", r#"[{"x": 2, "y": 7}]"#),
        ("move({x: 1})", r#"[{"x": 2, "y": null}]"#),
        ("flip(red)", r#"["err"]"#),
        ("check(0)", r#"[{"ok": null}]"#),
        ("check(9)", r#"[{"err": 9}]"#),
        ("nothing()", "[]"),
        ("big()", "[18446744073709551615]"),
    ] {
        let words = ["lib.wasm", "--json", "--invoke", call];
        let printed = format!("{{\"results\": {printed}}}\n");
        zwasm(words).dir(folder().path()).run().prints(&printed);
    }
    let words = ["lib.wasm", "--json=safe", "--invoke", "big()"];
    let printed = "{\"results\": [\"18446744073709551615\"]}\n";
    zwasm(words).dir(folder().path()).run().prints(printed);
}

#[test]
fn wrong_calls_say_where() {
    for (call, parts) in [
        ("add(1)", &["'--invoke'", "at 1:4: ", "expects 2 arguments, got 1"][..]),
        ("add(1, 2, 3)", &["1:11: ", "expects 2 arguments, got more"]),
        ("add(1, -2)", &["1:8: -2 is out of range for u32"]),
        ("add(1,\n \"x\")", &["2:2: expected a u32"]),
        ("add(1, 2", &["1:9: expected ',' or ')', got the end"]),
        ("add(1, 2) 3", &["1:11: expected nothing more"]),
        ("greet(Bo)", &["1:7: expected a string"]),
        ("greet(\"\\x\")", &["1:8: unknown escape"]),
        ("move({y: 7})", &["1:6: field 'x' is missing"]),
        ("flip(err)", &["'%err'"]),
        ("flip(blue)", &["1:6: there is no case 'blue': red, err"]),
        ("", &["1:1: expected the name of a function"]),
        ("ad(1, 2)", &["no exported function 'ad' (did you mean 'add'?)"]),
        ("api.sub(1, 2)", &["no exported function 'api.sub'"]),
        ("test:lib/api@2.0.0#add(1, 2)", &["no exported function"]),
        ("twin()", &["may be any of 'test:lib/api@1.2.0#twin', 'test:lib/other#twin'"]),
        ("make()", &["returns what no text can be written of", "func() -> resource"]),
        ("size(1)", &["a resource cannot be written as text"]),
    ] {
        invoke(call).fails_saying(1, parts);
    }
    let dir = folder();
    line(&dir, "lib.wat --invoke add 1").fails_saying(1, &["'add' expects 2 arguments, got 1"]);
    line(&dir, "lib.wat --invoke add 1 2 3").fails_saying(1, &["2 arguments, got 3"]);
    line(&dir, "lib.wat --invoke add 1 x").fails_saying(1, &["argument 2 of 'add', at 1:1: "]);
    line(&dir, "lib.wat --invoke add() 1").fails_saying(1, &["in parentheses", "'1'"]);
    // Where nothing else is said, the clearest name is meant.
    invoke("other.twin()").prints("2\n");
}

#[test]
fn traps_and_what_is_behind_them() {
    let outcome = invoke("stop()");
    outcome.fails_saying(1, &["trap: unreachable"]);
    assert!(outcome.stderr.contains("\n  at function 9, offset 0x"), "{outcome:?}");
    invoke("bad-string()").fails(1);
    invoke("bad-bool()").prints("true\n");
    invoke("bad-char()").fails(1);
}

#[test]
fn programs_end_as_they_say() {
    let dir = Dir::new();
    dir.write("ok.wat", run_of("(i32.const 0)"));
    dir.write("fails.wat", run_of("(i32.const 1)"));
    dir.write("traps.wat", run_of("unreachable"));
    dir.write("no.wat", run_of("(i32.const 2)"));
    line(&dir, "ok.wat").prints("");
    line(&dir, "run ok.wat").prints("");
    let outcome = line(&dir, "fails.wat");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""), "{outcome:?}");
    line(&dir, "traps.wat").fails_saying(1, &["trap: unreachable"]);
    line(&dir, "no.wat").fails(1);
    // The program is a function as well.
    line(&dir, "fails.wat --invoke run").prints("err\n");
    line(&dir, "fails.wat --invoke wasi:cli/run.run").prints("err\n");
    for engine in ["interp", "baseline", "auto"] {
        line(&dir, &format!("ok.wat --engine {engine}")).prints("");
        line(&dir, &format!("traps.wat --engine {engine}")).fails_saying(1, &["unreachable"]);
    }
}

#[test]
fn a_component_that_is_no_program() {
    let dir = folder();
    line(&dir, "lib.wat").fails_saying(1, &["no 'wasi:cli/run'", "'--invoke'", "add"]);
    line(&dir, "lib.wat add 1 2").fails_saying(1, &["'add' is a function", "'--invoke add'"]);
    dir.write("empty.wat", "(component)");
    line(&dir, "empty.wat").fails_saying(1, &["no 'wasi:cli/run'", "no functions"]);
    line(&dir, "empty.wat --invoke f").fails_saying(1, &["exports no functions"]);
}

#[test]
fn programs_have_arguments_and_an_environment() {
    let dir = folder();
    line(&dir, "app.wat").prints("app.wat\n");
    line(&dir, "app.wat one -- --two -3").prints("app.wat\none\n--two\n-3\n");
    line(&dir, "app.wat --env A=b --env A=c").prints("app.wat\nA=c\n");
    let host = || zwasm(["app.wat", "--allow-env"]).dir(dir.path()).env("SECRET", "1");
    host().run().prints("app.wat\nSECRET=1\n");
    zwasm(["app.wat"]).dir(dir.path()).env("SECRET", "1").run().prints("app.wat\n");
    let outcome = line(&dir, "app.wat --trace=wasi x");
    assert_eq!(outcome.text(), "app.wat\nx\n");
    assert!(outcome.stderr.contains("[wasi] wasi:cli/environment.get-arguments"), "{outcome:?}");
}

#[test]
fn a_program_may_exit() {
    let dir = Dir::new();
    for (status, code) in [(0, 0), (1, 1)] {
        dir.write("exit.wat", crate::component_guests::exit(status));
        let outcome = line(&dir, "exit.wat");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(code), ""), "{outcome:?}");
    }
    dir.write("code.wat", crate::component_guests::EXIT_WITH_CODE);
    assert_eq!(line(&dir, "code.wat").code, Some(42));
}

/// A directory is given to be used, unless a flag says for what, or it is a sandbox.
#[test]
fn directories() {
    let dir = Dir::with(&[("mkdir.wat", crate::component_guests::MAKE_DIRECTORY)]);
    let made = |words: &str| {
        let given = dir.path().join("given");
        let _ = std::fs::remove_dir_all(&given);
        std::fs::create_dir(&given).unwrap();
        let outcome = line(&dir, words);
        let is_made = given.join("new").is_dir();
        assert_eq!(outcome.code == Some(0), is_made, "{words}: {outcome:?}");
        (is_made, outcome.stderr)
    };
    assert!(made("mkdir.wat --dir given").0);
    assert!(made("mkdir.wat --dir given::/somewhere/else").0);
    assert!(!made("mkdir.wat --dir given:ro").0);
    assert!(made("mkdir.wat --dir given --allow-path").0);
    let (is_made, said) = made("mkdir.wat --dir given --allow-read");
    assert!(!is_made && said.contains("'--allow-path'"), "{said}");
    let (is_made, said) = made("mkdir.wat --sandbox --dir given");
    assert!(!is_made && said.contains("'--allow-path'"), "{said}");
    assert!(made("mkdir.wat --sandbox --allow-path --dir given").0);
    assert!(made("mkdir.wat --allow-all --dir given").0);
    line(&dir, "mkdir.wat --dir nowhere").fails_saying(1, &["cannot open directory 'nowhere'"]);
}

#[test]
fn limits() {
    let dir = folder();
    dir.write("loop.wat", run_of("(loop (br 0)) (i32.const 0)"));
    dir.write("deep.wat", run_of("(call $run)"));
    dir.write("grow.wat", store_of("(memory.grow (i32.const 100))"));
    dir.write("large.wat", store_of("(i32.const 0)").replace("(memory 1)", "(memory 1000)"));
    line(&dir, "loop.wat --fuel 1000").fails_saying(1, &["fuel exhausted", "--fuel"]);
    line(&dir, "loop.wat --sandbox").fails_saying(1, &["fuel exhausted", "1000000000"]);
    line(&dir, "loop.wat --timeout 50").fails_saying(1, &["interrupted", "50 ms"]);
    dir.write("waits.wat", crate::component_guests::WAITS);
    line(&dir, "waits.wat --timeout 50").fails_saying(1, &["interrupted", "50 ms"]);
    line(&dir, "deep.wat").fails_saying(1, &["call stack exhausted"]);
    line(&dir, "deep.wat --max-stack 64K").fails_saying(1, &["65536 bytes, see --max-stack"]);
    line(&dir, "grow.wat --invoke f").prints("1\n");
    let refused = line(&dir, "grow.wat --invoke f --max-memory 1M");
    assert_eq!(refused.text(), "-1\n", "{refused:?}");
    line(&dir, "large.wat --invoke f --max-memory 1M")
        .fails_saying(1, &["allocate a memory", "--max-memory"]);
    line(&dir, "large.wat --invoke f --max-total 1M").fails_saying(1, &["--max-total"]);
    line(&dir, "large.wat --invoke f --sandbox").prints("0\n");
}

#[test]
fn batches() {
    let dir = folder();
    let batch = |words: &[&str], lines: &str| {
        zwasm(words.iter().copied().chain(["--batch"])).dir(dir.path()).stdin(lines).run()
    };
    batch(&["lib.wasm"], "add(1, 2)\n\ngreet(\"x\")\nnothing()\n").prints("3\n\"x!\"\n()\n");
    // All lines call one instance.
    batch(&["lib.wasm"], "count()\ncount()\ncount()\n").prints("1\n2\n3\n");
    batch(&["lib.wasm", "--invoke", "add"], "(1, 2)\nadd(3, 4)\n").prints("3\n7\n");
    let lines = "{\"id\": 7, \"invoke\": \"add\", \"args\": [1, 2]}\n\
                 {\"invoke\": \"greet\", \"args\": [\"\\\"x\\\"\"]}\n\
                 {\"invoke\": \"greet(\\\"y\\\")\"}\n";
    batch(&["lib.wasm"], lines).prints(
        "{\"id\": 7, \"results\": [3]}\n{\"results\": [\"x!\"]}\n{\"results\": [\"y!\"]}\n",
    );
    let outcome = batch(&["lib.wasm"], "add(1)\nno()\nadd(1, 2)\n");
    assert_eq!((outcome.code, outcome.text().as_str()), (Some(1), "3\n"), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: line 1: at 1:4: "), "{outcome:?}");
    assert!(outcome.stderr.contains("error: line 2: no exported function 'no'"), "{outcome:?}");
    // A line without an end is no reason to keep all of it.
    let outcome = batch(&["lib.wasm"], &format!("{}\nadd(1, 2)\n", " ".repeat((16 << 20) + 1)));
    assert_eq!((outcome.code, outcome.text().as_str()), (Some(1), "3\n"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("line 1: the line is longer than"), "{}", outcome.stderr);
}

/// An instance that has trapped is not to be entered again.
#[test]
fn a_trap_ends_an_instance() {
    let dir = folder();
    let batch = zwasm(["lib.wasm", "--batch"]).dir(dir.path());
    let outcome = batch.stdin("add(1, 2)\nstop()\nadd(1, 2)\n").run();
    assert_eq!((outcome.code, outcome.text().as_str()), (Some(1), "3\n"), "{outcome:?}");
    assert!(outcome.stderr.contains("error: line 2: trap: unreachable"), "{outcome:?}");
    assert!(outcome.stderr.contains("error: line 3: "), "{outcome:?}");
}

#[test]
fn inspect_and_validate() {
    let dir = folder();
    let text = line(&dir, "inspect lib.wasm").text();
    for part in [
        "package root:component;\n\nworld root {\n",
        "  export test:lib/api@1.2.0;\n",
        "  interface api {\n",
        "    record point {\n      x: s32,\n      y: option<u8>,\n    }\n",
        "    move: func(p: point) -> point;\n",
        "    resource thing;\n",
        "    enum color {\n      red,\n      err,\n    }\n",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert_eq!(line(&dir, "inspect lib.wat").text(), text);
    let json = line(&dir, "inspect --json lib.wat").text();
    assert!(
        json.starts_with("{\n  \"file\": \"lib.wat\",\n  \"kind\": \"component\",\n"),
        "{json}"
    );
    assert!(json.contains(r#"{"name": "test:lib/api@1.2.0", "kind": "instance", "exports": ["#));
    crate::json_reader::Json::parse(&json).unwrap();
    line(&dir, "validate lib.wat").prints("lib.wat: valid\n");
    line(&dir, "validate --json lib.wasm").prints("{\"file\": \"lib.wasm\", \"valid\": true}\n");
    dir.write("bad.wat", "(component (export \"f\" (func 0)))");
    line(&dir, "validate bad.wat").fails_saying(2, &["unknown func"]);
    let json = line(&dir, "validate --json bad.wat");
    assert_eq!(json.code, Some(2));
    assert!(json.text().starts_with("{\"file\": \"bad.wat\", \"valid\": false, "), "{json:?}");
    let features = line(&dir, "features").text();
    let status = |name: &str| {
        let line = features.lines().find(|line| line.starts_with(name)).unwrap();
        line.ends_with(" yes")
    };
    assert!(status("component-model ") && status("component-map "), "{features}");
    assert!(status("component-async "), "{features}");
}

#[test]
fn features_are_switched_off() {
    let dir = folder();
    for command in ["", "inspect ", "validate "] {
        line(&dir, &format!("{command}lib.wat --disable component-model"))
            .fails_saying(2, &["the feature 'component-model' is disabled"]);
    }
    dir.write("map.wat", "(component (import \"f\" (func (param \"m\" (map string u8)))))");
    line(&dir, "validate map.wat").prints("map.wat: valid\n");
    line(&dir, "validate map.wat --disable component-map").fails(2);
    dir.write("async.wat", "(component (import \"f\" (func (param \"x\" (future u8)))))");
    line(&dir, "validate async.wat").prints("async.wat: valid\n");
    line(&dir, "validate async.wat --disable component-async").fails(2);
}

#[test]
fn missing_imports_are_listed_with_their_types() {
    let dir = Dir::new();
    let text = r#"(component
      (import "log" (func (param "line" string)))
      (import "my:own/things@1.0.0" (instance
        (export "thing" (type $t (sub resource)))
        (export "open" (func (param "name" string) (result (own $t)))))))"#;
    let parts = [
        "log",
        "func(line: string)",
        "my:own/things@1.0.0",
        "func(name: string) -> thing",
        "--link NAME=FILE",
    ];
    dir.write("m.wat", with_run(text));
    line(&dir, "m.wat").fails_saying(1, &parts);
    line(&dir, "m.wat --unknown-imports trap").prints("");
    line(&dir, "m.wat --unknown-imports default").fails_saying(1, &["for modules", "trap"]);
    // A version that is not there.
    let later = r#"(component (import "wasi:cli/stdin@0.9.0" (instance
        (export "get" (func (result u8))))))"#;
    dir.write("later.wat", with_run(later));
    line(&dir, "later.wat").fails_saying(1, &["wasi:cli/stdin@0.9.0"]);
}

/// A component that is a program besides.
fn with_run(text: &str) -> String {
    let run = run_of("(i32.const 0)");
    let inner = run.strip_prefix("(component").unwrap().strip_suffix(')').unwrap();
    format!("{}{inner})", text.strip_suffix(')').unwrap())
}

#[test]
fn components_link_to_components() {
    let dir = Dir::with(&[("shouter.wasm", SHOUTER), ("both.wasm", BOTH), ("lib.wat", LIBRARY)]);
    line(&dir, "both.wasm --invoke dropped").fails_saying(1, &["test:link/shouter", "--link"]);
    let linked = "both.wasm --link any=shouter.wasm";
    zwasm(linked.split(' ').chain(["--invoke", "shout(\"hey\")"]))
        .dir(dir.path())
        .run()
        .prints("\"hey!\"\n");
    zwasm(linked.split(' ').chain(["--invoke", "lend(7)"])).dir(dir.path()).run().prints("7\n");
    zwasm(linked.split(' ').chain(["--invoke", "dropped()"])).dir(dir.path()).run().prints("1\n");
    // What has no interface is there by the name that is given.
    dir.write("flat.wat", crate::component_guests::FLAT);
    dir.write("needs.wat", crate::component_guests::NEEDS_FLAT);
    line(&dir, "needs.wat --link flat=flat.wat --invoke f").prints("5\n");
    line(&dir, "needs.wat --link other=flat.wat --invoke f").fails_saying(1, &["flat"]);
    dir.write("wrong.wat", crate::component_guests::FLAT.replace("u32", "s32"));
    line(&dir, "needs.wat --link flat=wrong.wat --invoke f")
        .fails_saying(1, &["func() -> u32", "func() -> s32", "--link flat=wrong.wat"]);
    line(&dir, "needs.wat --link flat=nowhere.wat --invoke f")
        .fails_saying(126, &["nowhere.wat", "--link flat=nowhere.wat"]);
    // Each of two needs the other.
    let circle = |import: &str, export: &str| {
        format!(
            r#"(component (import "c:c/{import}" (instance $i (export "f" (func))))
                 (instance $e (export "f" (func $i "f"))) (export "c:c/{export}" (instance $e)))"#
        )
    };
    dir.write("a.wat", circle("a", "b"));
    dir.write("b.wat", circle("b", "a"));
    line(&dir, "a.wat --link x=a.wat --link y=b.wat --invoke f").fails_saying(1, &["x -> y -> x"]);
    // A module cannot import from a component, nor the other way round but by a module's name.
    dir.write("m.wat", "(import \"flat\" \"f\" (func))");
    line(&dir, "m.wat --link flat=flat.wat").fails_saying(1, &["cannot import from a component"]);
    let importer = r#"(component
      (import "m" (core module $m (export "f" (func (result i32)))))
      (core instance $i (instantiate $m))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;
    dir.write("importer.wat", importer);
    dir.write("core.wat", "(func (export \"f\") (result i32) (i32.const 9))");
    line(&dir, "importer.wat --link m=core.wat --invoke f").prints("9\n");
    line(&dir, "importer.wat --invoke f").fails_saying(1, &["core module"]);
}

#[test]
fn options_for_modules() {
    let dir = folder();
    line(&dir, "app.wat --listen 127.0.0.1:0").fails_saying(1, &["'--listen'", "component"]);
    if cfg!(feature = "trace") {
        line(&dir, "app.wat --dump-regir 0").fails_saying(1, &["'--dump-regir'", "component"]);
    }
    line(&dir, "app.wat --deterministic --perf-map").prints("app.wat\n");
}

#[cfg(feature = "trace")]
#[test]
fn profiles_and_traces() {
    let dir = folder();
    let outcome = line(&dir, "lib.wasm --profile --invoke add 1 2");
    assert_eq!((outcome.code, outcome.text().as_str()), (Some(0), "3\n"), "{outcome:?}");
    assert!(outcome.stderr.contains("instructions of the register IR"), "{outcome:?}");
    let outcome = line(&dir, "lib.wasm --profile=p.json --invoke add 1 2");
    outcome.prints("3\n");
    let profile = std::fs::read_to_string(dir.path().join("p.json")).unwrap();
    crate::json_reader::Json::parse(&profile).unwrap();
    let outcome = line(&dir, "lib.wasm --trace=call --invoke add 1 2");
    assert!(outcome.stderr.contains("[call]"), "{outcome:?}");
}

#[test]
fn components_cut_at_every_byte() {
    let dir = folder();
    let bytes = std::fs::read(dir.path().join("lib.wasm")).unwrap();
    let mut refused = 0;
    for length in 0..bytes.len() {
        dir.write("cut.wasm", &bytes[..length]);
        let outcome = line(&dir, "validate cut.wasm");
        if outcome.code != Some(0) {
            outcome.fails(2);
            refused += 1;
        }
    }
    // One that ends between two sections may be a component.
    assert!(refused > bytes.len() * 9 / 10, "{refused} of {}", bytes.len());
}

#[test]
fn mutated_components() {
    let dir = folder();
    let bytes = std::fs::read(dir.path().join("lib.wasm")).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as usize % limit
    };
    for _ in 0..300 {
        let mut mutated = bytes.clone();
        for _ in 0..1 + random(3) {
            let at = 8 + random(mutated.len() - 8);
            mutated[at] = random(256) as u8;
        }
        dir.write("m.wasm", &mutated);
        let words = ["m.wasm", "--sandbox", "--invoke", "move({x: 1, y: 7})"];
        let outcome = zwasm(words).dir(dir.path()).run();
        if outcome.code != Some(0) {
            let code = outcome.code.unwrap_or(-1);
            assert!([1, 2].contains(&code), "{outcome:?}");
            outcome.fails(code);
        }
    }
}
