//! Looking at the guest: dumps, traces, profiles.

use crate::guests::math;
use crate::support::{Dir, line};

#[test]
fn looking_at_the_guest() {
    let dir = math();
    let regir = line(&dir, "math.wat --invoke add 2 3 --dump-regir=0");
    assert_eq!((regir.code, regir.text().as_str()), (Some(0), "5\n"));
    assert!(regir.stderr.starts_with("function f0 <add>: frame params 2"), "{regir:?}");
    assert!(regir.stderr.contains("= i32.add s0 s1"), "{regir:?}");
    line(&dir, "math.wat --invoke add 2 3 --dump-regir=99")
        .fails_saying(1, &["'--dump-regir=99'", "no function 99"]);

    if zwasm::Strategy::Baseline.is_available() {
        let code = line(&dir, "math.wat --invoke add 2 3 --dump-jit=0");
        assert_eq!((code.code, code.text().as_str()), (Some(0), "5\n"));
        assert!(code.stderr.starts_with("function f0 <add>, baseline:\n"), "{code:?}");
        assert!(code.stderr.contains("0x000") && code.stderr.contains("add"), "{code:?}");
        let compiled = line(&dir, "math.wat --invoke add 2 3 --engine baseline --trace=jit");
        assert!(compiled.stderr.starts_with("[jit] f0 compiled: "), "{compiled:?}");
    } else {
        line(&dir, "math.wat --invoke add 2 3 --dump-jit=0").fails_saying(2, &["no compiler"]);
    }

    #[cfg(feature = "optimize")]
    if zwasm::Strategy::Optimizing.is_available() {
        let built = line(&dir, "math.wat --invoke add 2 3 --dump-ssa=0=build");
        assert_eq!((built.code, built.text().as_str()), (Some(0), "5\n"));
        assert!(built.stderr.starts_with("function f0 <add>:\nb0("), "{built:?}");
        assert!(built.stderr.contains("i32.add v0, v1"), "{built:?}");
        line(&dir, "math.wat --invoke add 2 3 --dump-ssa=0=none")
            .fails_saying(1, &["'--dump-ssa=0'", "no such pass"]);
    }

    let traced = line(&dir, "math.wat --invoke add 2 3 --trace=regir,exec,mem,call,jit");
    assert_eq!((traced.code, traced.text().as_str()), (Some(0), "5\n"));
    for part in ["[regir] function f0: frame", "[exec] f0+0x", "[call] f0 <add> 0x2 0x3\n"] {
        assert!(traced.stderr.contains(part), "no {part}: {traced:?}");
    }
    let memory = line(&dir, "math.wat --invoke load 8 --trace=mem");
    assert!(memory.stderr.starts_with("[mem] f14+0x"), "{memory:?}");
    assert!(memory.stderr.ends_with("i32.load m0[s0 + 0x0]  ; s0=0x8\n"), "{memory:?}");
    line(&dir, "math.wat --trace=cals").fails_saying(1, &["'cals'", "'call'?", "regir"]);

    let profile = line(&dir, "math.wat --invoke fib 50 --profile");
    assert_eq!((profile.code, profile.text().as_str()), (Some(0), "12586269025\n"));
    let lines: Vec<_> = profile.stderr.lines().collect();
    assert!(
        lines[0].starts_with("profile: ") && lines[0].ends_with("the register IR"),
        "{lines:?}"
    );
    let adds = lines.iter().find(|line| line.ends_with("  i64.add")).expect("additions");
    assert_eq!(adds.split_whitespace().next(), Some("50"));
    assert!(lines.iter().any(|line| line.contains(" 100.0            1  6 ")), "{lines:?}");
}

#[test]
fn profiles_in_files() {
    let spin = r#"(module
      (func $inner (param i32) (loop $next
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "_start") (local i32)
        (local.set 0 (i32.const 50))
        (loop $next
          (call $inner (i32.const 1000000))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let dir = Dir::with(&[("spin.wat", spin)]);
    for engine in ["interp", "auto"] {
        line(&dir, &format!("spin.wat --engine {engine} --profile=p.json --profile=p.json"))
            .fails_saying(1, &["'--profile' is given twice"]);
        line(&dir, &format!("spin.wat --engine {engine} --profile=p.json --overwrite")).prints("");
        let json = std::fs::read_to_string(dir.path().join("p.json")).unwrap();
        for part in ["\"unit\": \"us\"", "\"compiled\": ", "{\"name\": \"inner\", \"self\": "] {
            assert!(json.contains(part), "{engine}: no {part} in {json}");
        }
        let interpreted = json.contains("\"compiled\": 0,");
        assert!(engine != "interp" || interpreted, "{json}");
    }
    line(&dir, "spin.wat --profile=p.svg").prints("");
    let svg = std::fs::read_to_string(dir.path().join("p.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("<title>inner: "), "{svg}");
    line(&dir, "spin.wat --profile=no/p.svg").fails_saying(1, &["'--profile'", "no/p.svg"]);
    line(&dir, "spin.wat --profile=p.txt").fails_saying(1, &[".svg or .json", "'p.txt'"]);
}
