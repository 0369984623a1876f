//! `--profile=FILE`: where the time goes, by looking at the guest now and then.
//!
//! A thread starts a new epoch of the engine every millisecond, and at its next
//! function entry or loop header the guest is held up for a moment while its stack
//! is noted, whichever tier runs it. A stack counts for the time since the one
//! before, so that a host function's time goes to what runs when it has returned.
//! What costs nothing between the samples is what makes this more honest about
//! time than counting instructions.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use zwasm::{Module, Sample, Store, UpdateDeadline};

use crate::demangle::demangle;
use crate::guest::Guest;
use crate::json::{array, quote};

/// The time between samples.
const INTERVAL: Duration = Duration::from_millis(1);

/// Samples being taken.
pub struct Sampler {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    done: AtomicBool,
    taken: Mutex<Taken>,
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Taken {
    modules: Vec<Module>,
    /// The microseconds of each stack, whose outermost frame is first.
    stacks: BTreeMap<Vec<Key>, u64>,
}

/// A frame: its module among those seen, its function, and the tier that runs it.
type Key = (usize, u32, Tier);

impl Sampler {
    /// Begins to take samples of what a store runs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: &mut Store<Guest>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (watched, engine) = (shared.clone(), store.engine().clone());
        let thread = thread::Builder::new().name("profile".into()).spawn(move || {
            while !watched.done.load(Ordering::Relaxed) {
                thread::sleep(INTERVAL);
                engine.increment_epoch();
            }
        })?;
        let (sink, mut before) = (shared.clone(), Instant::now());
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |context| {
            let now = Instant::now();
            sink.taken().add(&Sample::take(context), now - before);
            before = now;
            Ok(UpdateDeadline::Continue(1))
        });
        Ok(Self { shared, thread })
    }

    /// Ends the samples and gives what they show.
    pub fn finish(self) -> Samples {
        self.shared.done.store(true, Ordering::Relaxed);
        // The thread does nothing that could fail.
        let _ = self.thread.join();
        let taken = self.shared.taken();
        #[cfg(feature = "addr2line")]
        let places = taken.places();
        let stacks = taken.stacks.iter().map(|(keys, time)| {
            let frame = |&(module, func, tier): &Key| {
                let name = taken.modules[module].func_name(func);
                let name = name.unwrap_or_else(|| format!("function {func}"));
                let name = demangle(&name).unwrap_or(name);
                #[cfg(feature = "addr2line")]
                let place = places.binary_search_by_key(&(module, func), |(key, _)| *key);
                #[cfg(feature = "addr2line")]
                let place = place.ok().map(|at| places[at].1.clone());
                #[cfg(not(feature = "addr2line"))]
                let place = None;
                Frame { name, place, tier }
            };
            Stack { frames: keys.iter().map(frame).collect(), time: *time }
        });
        Samples { stacks: stacks.collect() }
    }
}

impl Taken {
    /// Where the functions seen begin, as far as that is known, in their order.
    #[cfg(feature = "addr2line")]
    fn places(&self) -> Vec<((usize, u32), String)> {
        let mut places = Vec::new();
        for (index, module) in self.modules.iter().enumerate() {
            let keys = self.stacks.keys().flatten();
            let mut funcs: Vec<u32> = keys.filter(|key| key.0 == index).map(|key| key.1).collect();
            funcs.sort_unstable();
            funcs.dedup();
            for (func, line) in funcs.iter().zip(module.function_lines(&funcs)) {
                let place = line.map(|line| format!("{}:{}", line.file, line.line));
                places.extend(place.map(|place| ((index, *func), place)));
            }
        }
        places
    }

    fn add(&mut self, sample: &Sample, time: Duration) {
        let keys = sample.frames.iter().rev().map(|frame| {
            let known = self.modules.iter().position(|module| Module::same(module, &frame.module));
            let module = known.unwrap_or_else(|| {
                self.modules.push(frame.module.clone());
                self.modules.len() - 1
            });
            let tier = match (frame.compiled, frame.optimized) {
                (false, _) => Tier::Interpreted,
                (true, false) => Tier::Compiled,
                (true, true) => Tier::Optimized,
            };
            (module, frame.func, tier)
        });
        let keys = keys.collect();
        *self.stacks.entry(keys).or_default() += time.as_micros() as u64;
    }
}

/// Where the time went.
pub struct Samples {
    /// The stacks seen, ordered by their frames.
    pub stacks: Vec<Stack>,
}

/// A stack, and the time it was there.
pub struct Stack {
    /// The frames, the outermost first.
    pub frames: Vec<Frame>,
    /// Microseconds.
    pub time: u64,
}

/// A frame of a stack.
#[derive(PartialEq)]
pub struct Frame {
    /// The name of the function.
    pub name: String,
    /// The file and line that it begins in.
    pub place: Option<String>,
    /// What ran it.
    pub tier: Tier,
}

/// What runs a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The interpreter.
    Interpreted,
    /// Code of the baseline compiler.
    Compiled,
    /// Code of the optimizing compiler.
    Optimized,
}

impl Tier {
    /// All of them.
    pub const ALL: [Tier; 3] = [Tier::Interpreted, Tier::Compiled, Tier::Optimized];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Interpreted => "interpreted",
            Tier::Compiled => "compiled",
            Tier::Optimized => "optimized",
        }
    }
}

impl Samples {
    /// All the time, in microseconds.
    pub fn time(&self) -> u64 {
        self.stacks.iter().map(|stack| stack.time).sum()
    }

    /// The time in each tier, functions with the time that they were executed
    /// themselves (`self`) and had on the stack (`total`), and the stacks.
    pub fn json(&self) -> String {
        // The time itself and, as often as it is on the stack, once.
        let mut functions = BTreeMap::<&str, ([u64; 2], Option<&str>)>::new();
        let mut tiers = [0; Tier::ALL.len()];
        for Stack { frames, time } in &self.stacks {
            for (index, frame) in frames.iter().enumerate() {
                if !frames[..index].iter().any(|outer| outer.name == frame.name) {
                    let function = functions.entry(&frame.name).or_default();
                    function.0[1] += time;
                    function.1 = frame.place.as_deref();
                }
            }
            if let Some(innermost) = frames.last() {
                functions.entry(&innermost.name).or_default().0[0] += time;
                tiers[innermost.tier as usize] += time;
            }
        }
        let mut functions: Vec<_> = functions.into_iter().collect();
        functions.sort_by_key(|(_, ([own, _], _))| u64::MAX - own);
        let functions = functions.into_iter().map(|(name, ([own, total], place))| {
            let place = place.map_or(String::new(), |it| format!(", \"place\": {}", quote(it)));
            let name = quote(name);
            format!("{{\"name\": {name}, \"self\": {own}, \"total\": {total}{place}}}")
        });
        let stacks = self.stacks.iter().map(|Stack { frames, time }| {
            let frames = array(frames.iter().map(|frame| {
                let (name, tier) = (quote(&frame.name), frame.tier.name());
                format!("{{\"name\": {name}, \"tier\": \"{tier}\"}}")
            }));
            format!("{{\"time\": {time}, \"frames\": {frames}}}")
        });
        let lines = |items: &mut dyn Iterator<Item = String>| {
            let items: Vec<_> = items.map(|item| format!("\n    {item}")).collect();
            format!("[{}\n  ]", items.join(","))
        };
        let (time, stacks) = (self.time(), lines(&mut { stacks }));
        let functions = lines(&mut { functions });
        let tier = |tier: Tier| format!("\"{}\": {}", tier.name(), tiers[tier as usize]);
        let tiers = Tier::ALL.map(tier).join(",\n  ");
        format!(
            "{{\n  \"unit\": \"us\",\n  \"time\": {time},\n  {tiers},\n  \"functions\": {functions},\n  \"stacks\": {stacks}\n}}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recursion_counts_once() {
        let frame = |name: &str, tier| Frame { name: name.into(), place: None, tier };
        let b = || frame("b", Tier::Compiled);
        let stack = |frames, time| Stack { frames, time };
        let samples = Samples {
            stacks: vec![
                stack(vec![frame("a", Tier::Interpreted)], 5),
                stack(vec![frame("a", Tier::Interpreted), b(), b()], 20),
            ],
        };
        let json = samples.json();
        for part in [
            "\"time\": 25,",
            "\"interpreted\": 5,",
            "\"compiled\": 20,",
            "\"optimized\": 0,",
            "{\"name\": \"b\", \"self\": 20, \"total\": 20}",
            "{\"name\": \"a\", \"self\": 5, \"total\": 25}",
            "{\"time\": 5, \"frames\": [{\"name\": \"a\", \"tier\": \"interpreted\"}]}",
        ] {
            assert!(json.contains(part), "no {part} in {json}");
        }
    }
}
