//! What the guest does, as the embedder asks for it: samples, counts, listings.

use std::collections::BTreeMap;

use super::store::AsContext;
use crate::code::translate::translate;
use crate::error::{Error, Result};
use crate::module::Module;
use crate::observe::title;
use crate::stack::backtrace::capture;
use crate::tier;
use crate::tuning::MAX_BACKTRACE_FRAMES;
use zwasm_regir::Inst;

/// A function of the guest's in the middle of being executed, see [`Sample`].
#[derive(Clone, Debug)]
pub struct SampledFrame {
    /// The function's module.
    pub module: Module,
    /// Its index in the module.
    pub func: u32,
    /// Whether it runs as machine code.
    pub compiled: bool,
    /// Whether that is optimized code.
    pub optimized: bool,
}

/// What the guest of a store is executing.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The functions, the one that was called last first; of a deep stack, only so
    /// many.
    pub frames: Vec<SampledFrame>,
}

impl Sample {
    /// What the guest is executing that called the host function that asks, or
    /// that a callback at a deadline holds up. Inlined functions are part of their
    /// callers here: to tell them apart takes longer than a sample may.
    pub fn take(store: impl AsContext) -> Sample {
        let core = store.as_context().core();
        // SAFETY: the store is borrowed, so the frames behind its host functions
        // are as they were when these were called.
        let backtrace = unsafe { capture(core, None, MAX_BACKTRACE_FRAMES) };
        let frames = backtrace.places.iter().map(|place| {
            let (module, func, compiled, optimized) = place.function();
            SampledFrame { module: module.clone(), func, compiled, optimized }
        });
        Sample { frames: frames.collect() }
    }
}

/// What a module has executed so far, see [`crate::Config::profile`].
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The functions that were called, those that executed most first.
    pub functions: Vec<FunctionProfile>,
    /// How often each instruction of the register IR was executed, by its name,
    /// the most frequent first.
    pub opcodes: Vec<(String, u64)>,
}

/// What a function has executed so far.
#[derive(Clone, Debug)]
pub struct FunctionProfile {
    /// Its index in the module.
    pub func: u32,
    /// Its name, from the name section.
    pub name: Option<String>,
    /// How often it was called.
    pub calls: u64,
    /// How many instructions of the register IR it executed, its callees' not
    /// included.
    pub instructions: u64,
}

impl Module {
    /// What the module has executed so far in all its instances; nothing, if its
    /// engine does not count.
    pub fn profile(&self) -> Profile {
        let inner = self.inner();
        let mut functions = Vec::new();
        let mut opcodes = BTreeMap::<String, u64>::new();
        for defined in 0..inner.bodies.len() as u32 {
            let Some(watched) = inner.observed.get(defined) else { continue };
            let mut instructions = 0;
            for (inst, count) in watched.executed() {
                if count > 0 {
                    instructions += count;
                    *opcodes.entry(opcode(inst)).or_default() += count;
                }
            }
            let calls = watched.calls();
            let func = inner.func_index(defined);
            if calls > 0 {
                let name = self.function_name(func);
                functions.push(FunctionProfile { func, name, calls, instructions });
            }
        }
        functions.sort_by_cached_key(|function| u64::MAX - function.instructions);
        let mut opcodes: Vec<_> = opcodes.into_iter().collect();
        opcodes.sort_by_cached_key(|(_, count)| u64::MAX - count);
        Profile { functions, opcodes }
    }

    /// The name of a function from the name section.
    pub fn func_name(&self, func: u32) -> Option<String> {
        self.function_name(func)
    }

    /// The register IR of a function, as text whose form may change.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, or one that this build
    /// does not run.
    pub fn regir(&self, func: u32) -> Result<String> {
        let defined = self.defined(func)?;
        Ok(format!(
            "function {}: {}",
            title(self, func),
            translate(self.inner(), defined, &|| false)?
        ))
    }

    /// The machine code that functions start with, or are promoted to from the interpreter,
    /// as text whose form may change. It begins with the compiler's name.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, or this build has no
    /// compiler for the processor.
    pub fn machine_code(&self, func: u32) -> Result<String> {
        let defined = self.defined(func)?;
        let listing = tier::listing(self.inner(), defined, None)?;
        Ok(format!("function {}, {listing}", title(self, func)))
    }

    /// The form that the optimizing compiler makes of a function, as text whose form may
    /// change: the one that machine code is made from, or that after a pass with this
    /// name, `build` for the form before all of them.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, the compiler refuses it, there is
    /// no such pass, or this build has no such compiler for the processor.
    pub fn ssa(&self, func: u32, pass: Option<&str>) -> Result<String> {
        let defined = self.defined(func)?;
        #[cfg(optimizer)]
        let text = tier::ssa(self.inner(), defined, pass);
        #[cfg(not(optimizer))]
        let text: Result<String> = {
            let _ = (defined, pass);
            let message = "this build has no optimizing compiler for this processor";
            Err(Error::of_kind(crate::error::ErrorKind::Unsupported, message))
        };
        Ok(format!("function {}:\n{}", title(self, func), text?))
    }

    /// Builds the SSA form of a function from the headers of its first loops on, for
    /// frames of interpreter or baseline code; how many there are.
    ///
    /// # Errors
    ///
    /// Those of [`Module::ssa`].
    #[cfg(optimizer)]
    #[doc(hidden)]
    pub fn ssa_of_loops(&self, func: u32, loops: u32) -> Result<u32> {
        tier::ssa_of_loops(self.inner(), self.defined(func)?, loops)
    }

    /// As [`Module::machine_code`], for another processor: `x64` or `aarch64`, with the
    /// names of features behind it, each after a `+`.
    ///
    /// # Errors
    ///
    /// If the module defines no function with this index, or this build cannot make code
    /// for the target.
    #[doc(hidden)]
    pub fn machine_code_for(&self, func: u32, target: &str) -> Result<String> {
        let defined = self.defined(func)?;
        let listing = tier::listing(self.inner(), defined, Some(target))?;
        Ok(format!("function {}, {listing}", title(self, func)))
    }

    /// The place of a function among those that the module defines.
    fn defined(&self, func: u32) -> Result<u32> {
        let inner = self.inner();
        let (first, count) = (inner.imported_funcs, inner.bodies.len() as u32);
        let defined = inner.defined_func(func).filter(|defined| *defined < count);
        defined.ok_or_else(|| {
            Error::msg(match count {
                0 => "the module defines no functions".into(),
                _ if func < first => format!("function {func} is imported and has no code here"),
                _ => format!("no function {func}: the module has {first} to {}", first + count - 1),
            })
        })
    }
}

/// The name of an instruction, taken from its text: what follows the destination.
fn opcode(inst: &Inst) -> String {
    let text = inst.to_string();
    let meaning = text.split_once(" = ").map_or(&*text, |(_, meaning)| meaning);
    match inst {
        Inst::Copy { .. } => "copy".into(),
        Inst::Const { .. } => "const".into(),
        _ => meaning.split(' ').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{Config, Engine, Instance, Store, Trace};

    const WAT: &str = r#"(module
      (import "" "" (func))
      (memory 1)
      (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func (export "run") (param i32) (result i32) (local $sum i32)
        (loop $next
          (i32.store (i32.const 16) (call $double (local.get 0)))
          (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 16))))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $sum))
      (func $never))"#;

    /// Runs `run` with the argument 10 and gives its module.
    fn run(config: &Config) -> Module {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, WAT).unwrap();
        let mut store = Store::new(&engine, ());
        let import = crate::Func::wrap(&mut store, || ());
        let instance = Instance::new(&mut store, &module, &[import.into()]).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, 10).unwrap(), 110);
        module
    }

    #[test]
    fn counts() {
        let profile = run(Config::new().profile(true)).profile();
        let calls: Vec<_> = profile.functions.iter().map(|each| (each.func, each.calls)).collect();
        assert_eq!(calls, [(2, 1), (1, 10)]);
        assert_eq!(profile.functions[1].name.as_deref(), Some("double"));
        let count = |name: &str| {
            profile.opcodes.iter().find(|(each, _)| each == name).map_or(0, |(_, count)| *count)
        };
        for (name, expected) in [
            ("i32.mul", 10),
            ("i32.add", 10),
            ("i32.load", 10),
            ("i32.store", 10),
            ("br_if", 10),
            ("call", 10),
            ("return", 11),
        ] {
            assert_eq!(count(name), expected, "{name}: {:?}", profile.opcodes);
        }
        let total: u64 = profile.opcodes.iter().map(|(_, count)| count).sum();
        let by_function: u64 = profile.functions.iter().map(|each| each.instructions).sum();
        assert_eq!(total, by_function);
        assert!(run(&Config::new()).profile().functions.is_empty());
    }

    fn traced(what: Trace) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        run(Config::new().trace(what, move |line| sink.lock().unwrap().push(line.to_owned())));
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn traces() {
        let calls = traced(Trace::CALL);
        assert_eq!(
            calls[..3],
            ["[call] f2 0xa", "[call] f1 <double> 0xa", "[call] f1 <double> returns"]
        );
        assert_eq!(calls.len(), 22);
        let memory = traced(Trace::MEM);
        assert_eq!(memory.len(), 20);
        assert!(
            memory[0].starts_with("[mem] f2+0x") && memory[0].ends_with("=0x14"),
            "{}",
            memory[0]
        );
        let mut both = Trace::EXEC;
        both.insert(Trace::REGIR);
        let all = traced(both);
        assert!(all[0].starts_with("[regir] function f2: frame params 1"), "{}", all[0]);
        assert_eq!(all.iter().filter(|line| line.contains("= i32.mul s0 0x2  ; s0=")).count(), 10);
        assert!(traced(Trace::default()).is_empty());
    }

    #[test]
    fn samples() {
        assert_eq!(sampled(false), [1, 2]);
        assert_eq!(sampled(true), [2]);
    }

    /// The functions that a sample has when a host function takes it.
    fn sampled(inlining: bool) -> Vec<u32> {
        let engine = Engine::new(Config::new().inlining(inlining)).unwrap();
        let module = Module::new(
            &engine,
            r#"(module (import "" "" (func $host))
                 (func $inner (call $host)) (func (export "run") (call $inner)))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, Sample::default());
        let take = |mut caller: crate::Caller<'_, Sample>| {
            let sample = Sample::take(&caller);
            *caller.data_mut() = sample;
        };
        let host = crate::Func::wrap(&mut store, take);
        let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap();
        let frames = &store.data().frames;
        assert!(frames.iter().all(|frame| Module::same(&frame.module, &module)));
        assert_eq!(module.func_name(1).as_deref(), Some("inner"));
        assert!(Sample::take(&store).frames.is_empty());
        frames.iter().map(|frame| frame.func).collect()
    }

    #[test]
    fn slot_form() {
        let module = run(&Config::new());
        assert!(module.regir(1).unwrap().starts_with("function f1 <double>: frame params 1"));
        assert!(module.regir(0).unwrap_err().to_string().contains("is imported"));
        assert!(module.regir(4).unwrap_err().to_string().contains("1 to 3"));
        let empty = Module::new(&Engine::default(), "(module)").unwrap();
        assert!(empty.regir(0).unwrap_err().to_string().contains("no functions"));
    }
}
