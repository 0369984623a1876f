//! Threaded code of functions, made when a function is first called.

use super::encode;
use crate::code::Code;
use crate::code::translate::translate;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Inner;
use zwasm_regir::{Function, SourceLoc};

/// The threaded code of a defined function.
///
/// # Errors
///
/// Those of [`translate`].
pub(crate) fn code<'a>(
    module: &'a Inner,
    defined: u32,
    stop: &dyn Fn() -> bool,
) -> Result<&'a Code> {
    let cell = &module.codes[defined as usize];
    if cell.get().is_none() {
        let function = translate(module, defined, stop)?;
        #[cfg(feature = "trace")]
        crate::observe::report_translated(module, defined, &function);
        let code = encode::encode(module, defined, &function, |_, _| {});
        // If another thread was faster, its code is as good.
        let _ = cell.set(Box::new(code));
    }
    cell.get()
        .map(|code| &**code)
        .ok_or_else(|| Error::of_kind(ErrorKind::Limit, "code of a function is missing"))
}

/// Where in a translated function a word of its threaded code came from.
pub(crate) fn source(
    module: &Inner,
    defined: u32,
    function: &Function,
    word: usize,
) -> Option<SourceLoc> {
    let mut found = None;
    encode::encode(module, defined, function, |start, inst| {
        if start <= word {
            found = Some(inst);
        }
    });
    function.sources.get(found?).copied()
}

#[cfg(all(test, feature = "wat"))]
mod tests {
    use super::*;
    use crate::code::Text;
    use crate::{Config, Engine, Module};
    use zwasm_regir::Inst;

    const WAT: &str = r#"(module (memory 1)
      (func $f (param i32 i64) (result i64) (local i32)
        (loop $next
          (local.set 2 (i32.add (local.get 2) (i32.load (local.get 0))))
          (br_if $next (i32.lt_u (local.get 2) (i32.const 10))))
        (if (result i64) (local.get 0)
          (then (i64.const 1)) (else (call $f (i32.const 1) (local.get 1)))))
      (func (param i32) (result i32)
        (block $b (block $a (br_table $a $b (local.get 0)) (unreachable)) (return (i32.const 1)))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
        (i32.const 2)))"#;

    fn is_check(inst: &Inst) -> bool {
        matches!(inst, Inst::Fuel { .. } | Inst::Epoch)
    }

    fn words(module: &Inner, defined: u32, function: &Function) -> Vec<u64> {
        match encode::encode(module, defined, function, |_, _| {}).text {
            Text::Threaded(words) => words.into(),
            _ => panic!("the encoder makes threaded code"),
        }
    }

    #[test]
    fn code_without_checks_is_that_of_an_engine_that_has_none() {
        let mut config = Config::new();
        config.consume_fuel(true).epoch_interruption(true);
        let checked = Module::new(&Engine::new(&config).expect("it is valid"), WAT).expect("valid");
        let plain = Module::new(&Engine::default(), WAT).expect("it is valid");
        for defined in 0..2 {
            let expected = translate(plain.inner(), defined, &|| false).expect("it is translated");
            assert!(!expected.insts.iter().any(is_check));
            let mut function =
                translate(checked.inner(), defined, &|| false).expect("it is translated");
            let checks = function.insts.iter().filter(|inst| is_check(inst)).count();
            assert!(checks >= 3);
            function.insts.retain(|inst| !is_check(inst));
            assert_eq!(function.insts, expected.insts);
            let expected = words(plain.inner(), defined, &expected);
            assert_eq!(words(checked.inner(), defined, &function), expected);
        }
    }
}
