//! Runs a case everywhere and compares.

use crate::engines::{Oracle, ours, wasmi::Wasmi};
use crate::hide::hide;
use crate::outcome::{Event, Likeness, difference, digest};
use crate::plan::Plan;
use zwasm::Engine;
use zwasm_wast::{Mode, panics};

/// The engine that others are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OracleKind {
    Wasmi,
    #[cfg(feature = "wasmtime-oracle")]
    Wasmtime,
    None,
}

impl OracleKind {
    /// The oracle with this name.
    ///
    /// # Errors
    /// When there is none; the text says which there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "wasmi" => Ok(Self::Wasmi),
            #[cfg(feature = "wasmtime-oracle")]
            "wasmtime" => Ok(Self::Wasmtime),
            #[cfg(not(feature = "wasmtime-oracle"))]
            "wasmtime" => Err("this build lacks the feature 'wasmtime-oracle'".into()),
            "none" => Ok(Self::None),
            _ => Err(format!("unknown oracle '{name}' (known: wasmi, wasmtime, none)")),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Wasmi => "wasmi",
            #[cfg(feature = "wasmtime-oracle")]
            Self::Wasmtime => "wasmtime",
            Self::None => "none",
        }
    }
}

const INVALID: &str = "the module is not valid";

/// Cases after which the engines are made anew, for they keep every type they saw.
const LIFE: u32 = 1000;

/// Everything a case runs in.
pub struct Judge {
    modes: Vec<Mode>,
    kind: OracleKind,
    /// The engines that count no fuel, and those that do; of both those whose NaNs are
    /// what the processor makes of them, and those that have one.
    engines: [[Vec<Engine>; 2]; 2],
    oracle: Option<Box<dyn Oracle>>,
    age: u32,
    /// Cases that were compared with the oracle.
    pub compared: u64,
    /// Cases in which the oracle panicked.
    pub crashed: u64,
    /// Calls that returned, of all in the first mode.
    pub returned: u64,
    pub called: u64,
    /// Whether outcomes are to be told.
    tells: bool,
    /// What the outcome of the last case in the first mode hashes to, if it is to be told.
    pub outcome: Option<u64>,
}

impl Judge {
    /// Runs cases in these modes, and in the oracle. With `tells`, what each outcome
    /// hashes to is found out as well.
    pub fn new(modes: &[Mode], kind: OracleKind, tells: bool) -> Self {
        Self {
            modes: modes.to_vec(),
            kind,
            engines: Default::default(),
            oracle: None,
            age: LIFE,
            compared: 0,
            crashed: 0,
            returned: 0,
            called: 0,
            tells,
            outcome: None,
        }
    }

    fn renew(&mut self) -> zwasm::Result<()> {
        self.age += 1;
        if self.age >= LIFE {
            self.age = 0;
            for (fuel, engines) in self.engines.iter_mut().enumerate() {
                for (deterministic, engines) in engines.iter_mut().enumerate() {
                    let engine = |mode: &Mode| {
                        let mut config = mode.config();
                        config.consume_fuel(fuel == 1).deterministic(deterministic == 1);
                        Engine::new(&config)
                    };
                    *engines = self.modes.iter().map(engine).collect::<Result<_, _>>()?;
                }
            }
            self.oracle = match self.kind {
                OracleKind::Wasmi => Some(Box::new(Wasmi::new())),
                #[cfg(feature = "wasmtime-oracle")]
                OracleKind::Wasmtime => Some(Box::new(crate::engines::wasmtime::Wasmtime::new())),
                OracleKind::None => None,
            };
        }
        Ok(())
    }

    /// What differs about a case, in one line; nothing if nothing does.
    ///
    /// # Errors
    /// When an engine cannot be set up or the module is not valid.
    pub fn judge(&mut self, bytes: &[u8], calls: u64) -> Result<Option<String>, String> {
        self.outcome = None;
        self.renew().map_err(|error| error.to_string())?;
        let plan = Plan::new(bytes, calls).ok_or(INVALID)?;
        let engines = &self.engines[usize::from(plan.fuel.is_some())];
        let mut runs = self.modes.iter().zip(&engines[usize::from(plan.deterministic)]);
        let Some((first, first_engine)) = runs.next() else {
            return Err("there is no mode to run in".into());
        };
        let mut expected = ours::run(first_engine, bytes, &plan);
        for event in &expected {
            if let Event::Called(_, result) = event {
                self.called += 1;
                self.returned += u64::from(result.is_ok());
            }
        }
        // Which NaN is computed is the processor's choice where it is not ours.
        let hidden = || hide(bytes).ok_or(INVALID);
        if self.tells {
            self.outcome = Some(match plan.deterministic {
                true => digest(&expected, Likeness::Same),
                false => digest(&ours::run(first_engine, &hidden()?, &plan), Likeness::Alike),
            });
        }
        let again = plan.turns.map(|_| (first, first_engine));
        for (mode, engine) in again.into_iter().chain(runs) {
            // Where instances begin with the code of others there is something to see twice.
            let outcomes = if matches!(mode, Mode::Auto | Mode::TierStress) {
                ours::run_twice(engine, bytes, &plan).to_vec()
            } else {
                vec![ours::run_in_turns(engine, bytes, &plan)]
            };
            for outcome in outcomes {
                if let Some(pair) = difference(&expected, &outcome, Likeness::Same) {
                    return Ok(Some(told(&first.to_string(), &mode.to_string(), pair)));
                }
            }
        }
        let Some(oracle) = &self.oracle else { return Ok(None) };
        let hidden = match plan.deterministic && oracle.has_one_nan() {
            true => None,
            false => Some(hidden()?),
        };
        let bytes = hidden.as_deref().unwrap_or(bytes);
        let ran = panics::catch(String::new, || oracle.run(bytes, &plan));
        if ran.is_err() {
            // Its bug, and the end of this engine.
            self.crashed += 1;
            self.age = LIFE;
        }
        if let Ok(Some(outcome)) = ran {
            self.compared += 1;
            if hidden.is_some() {
                expected = ours::run(first_engine, bytes, &plan);
            }
            expected.retain(|event| !event.is_ours());
            if let Some(pair) = difference(&expected, &outcome, Likeness::Alike) {
                return Ok(Some(told(&first.to_string(), self.kind.name(), pair)));
            }
        }
        Ok(None)
    }
}

fn told(one: &str, two: &str, (left, right): (Option<&Event>, Option<&Event>)) -> String {
    let text = |event: Option<&Event>| event.map_or("nothing more".into(), Event::to_string);
    format!("{one}: {}; {two}: {}", text(left), text(right)).replace('\n', " ")
}
