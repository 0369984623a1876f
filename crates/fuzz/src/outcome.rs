//! What running a module showed, and how two runs compare.

use crate::value::Value;
use std::fmt::{self, Display};
use zwasm::Trap;

/// Why a call did not return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A trap: its kind, and as exact as the engine tells it.
    Trap(Trap, &'static str),
    /// An exception that nothing caught.
    Exception,
    /// The stack, the heap or the system's memory ran out; engines need not agree
    /// when it does.
    Exhausted,
    /// Something else: not for the guest's sake.
    Failed(String),
}

/// A thing that happened or was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The module was refused.
    Refused(String),
    /// The instance could not be made.
    NotMade(Ending),
    /// A call of an export ended.
    Called(String, Result<Vec<Value>, Ending>),
    /// Where the call ended that was told of last: functions and offsets, innermost
    /// first.
    At(Vec<(u32, Option<usize>)>),
    /// What our engine had left of its fuel after a call.
    Fuel(u64),
    /// The guest called an imported function.
    Host(u32, Vec<Value>),
    /// At the end: a global.
    Global(String, Value),
    /// At the end: a memory's size in bytes and what its contents hash to.
    Memory(String, u64, u64),
    /// At the end: a table's elements, whether they are null.
    Table(String, Vec<bool>),
}

/// All events of one run in order.
pub type Outcome = Vec<Event>;

/// How exactly endings are compared.
#[derive(Clone, Copy, PartialEq)]
pub enum Likeness {
    /// As between modes of one engine.
    Same,
    /// As between engines, which group traps differently.
    Alike,
}

/// The first event in which two runs differ; none if they do not. Where either
/// ran out of something, nothing after that is compared.
pub fn difference<'a>(
    left: &'a [Event],
    right: &'a [Event],
    likeness: Likeness,
) -> Option<(Option<&'a Event>, Option<&'a Event>)> {
    let mut pairs = (0..left.len().max(right.len())).map(|at| (left.get(at), right.get(at)));
    pairs
        .by_ref()
        .take_while(|(left, right)| {
            ![left, right].into_iter().flatten().any(|event| event.exhausted(likeness))
        })
        .find(|(left, right)| match (left, right) {
            (Some(left), Some(right)) => !left.like(right, likeness),
            _ => true,
        })
}

impl Event {
    /// The event with all NaNs of scalars made one.
    fn with_one_nan(&self) -> Event {
        let all = |values: &[Value]| values.iter().map(|value| value.canonical()).collect();
        match self {
            Event::Called(name, Ok(values)) => Event::Called(name.clone(), Ok(all(values))),
            Event::Host(import, values) => Event::Host(*import, all(values)),
            Event::Global(name, value) => Event::Global(name.clone(), value.canonical()),
            other => other.clone(),
        }
    }

    fn exhausted(&self, likeness: Likeness) -> bool {
        match self {
            Event::NotMade(ending) | Event::Called(_, Err(ending)) => match ending {
                Ending::Exhausted => true,
                // Only our modes count fuel, and all in the same way.
                Ending::Trap(Trap::OutOfFuel, _) => likeness == Likeness::Alike,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether other engines do not tell it, or not alike.
    pub fn is_ours(&self) -> bool {
        matches!(self, Event::Fuel(_) | Event::At(_))
    }

    fn like(&self, other: &Event, likeness: Likeness) -> bool {
        match (self, other) {
            _ if likeness == Likeness::Same => self == other,
            (Event::Called(left, Err(one)), Event::Called(right, Err(two))) => {
                left == right && one.alike(two)
            }
            (Event::Called(left, Ok(one)), Event::Called(right, Ok(two))) => {
                left == right && alike(one, two)
            }
            (Event::Host(left, one), Event::Host(right, two)) => left == right && alike(one, two),
            (Event::Global(left, one), Event::Global(right, two)) => {
                left == right && one.alike(*two)
            }
            (Event::NotMade(one), Event::NotMade(two)) => one.alike(two),
            _ => self == other,
        }
    }
}

impl Ending {
    /// A trap of which the kind is all that is known.
    pub fn trap(kind: Trap) -> Ending {
        Ending::Trap(kind, kind.message())
    }

    /// Whether another engine's ending is what ours, this, may be there.
    fn alike(&self, other: &Ending) -> bool {
        match (self, other) {
            // Of an access that is both, others look at the alignment first.
            (Ending::Trap(Trap::MemoryOutOfBounds, _), Ending::Trap(Trap::HeapMisaligned, _)) => {
                true
            }
            (Ending::Trap(left, _), Ending::Trap(right, _)) => left == right,
            _ => self == other,
        }
    }
}

fn alike(left: &[Value], right: &[Value]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(one, two)| one.alike(*two))
}

impl Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Refused(why) => write!(f, "refused: {why}"),
            Event::NotMade(why) => write!(f, "not instantiated: {why:?}"),
            Event::Called(name, Ok(results)) => write!(f, "{name} returned {results:x?}"),
            Event::Called(name, Err(why)) => write!(f, "{name} ended with {why:?}"),
            Event::At(frames) => {
                write!(f, "at")?;
                frames.iter().try_for_each(|(function, offset)| match offset {
                    Some(offset) => write!(f, " {function}:{offset:#x}"),
                    None => write!(f, " {function}"),
                })
            }
            Event::Fuel(left) => write!(f, "{left} of its fuel was left"),
            Event::Host(index, arguments) => write!(f, "import {index} called with {arguments:x?}"),
            Event::Global(name, value) => write!(f, "global {name} is {value:x?}"),
            Event::Memory(name, size, hash) => {
                write!(f, "memory {name} of {size} bytes hashes to {hash:x}")
            }
            Event::Table(name, nulls) => {
                let letters: String =
                    nulls.iter().map(|null| if *null { '-' } else { 'x' }).collect();
                write!(f, "table {name} is {letters}")
            }
        }
    }
}

/// A hash of a run, up to where it ran out of something. Unless it is to be told what is
/// the same, all NaNs of scalars are one: which it is, is the processor's choice.
pub fn digest(outcome: &[Event], likeness: Likeness) -> u64 {
    let events = outcome.iter().take_while(|event| !event.exhausted(Likeness::Same));
    events.fold(0, |before, event| {
        let text = match likeness {
            Likeness::Same => event.to_string(),
            Likeness::Alike => event.with_one_nan().to_string(),
        };
        mix(before ^ hash(text.as_bytes()), 2)
    })
}

/// A hash of a memory's contents.
pub fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64;
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Most of a memory is zero.
        if word != 0 {
            hash = mix(hash ^ word, at as u64);
        }
    }
    rest.iter().fold(hash, |hash, byte| mix(hash ^ u64::from(*byte), 1))
}

fn mix(hash: u64, at: u64) -> u64 {
    let wide = u128::from(hash ^ 0x9e37_79b9_7f4a_7c15)
        * u128::from(at.wrapping_mul(2).wrapping_add(0xd134_2543_de82_ef95));
    (wide as u64) ^ (wide >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_are_the_same_between_modes_and_alike_between_engines() {
        let call = |ending| vec![Event::Called("f".into(), Err(ending))];
        let (ours, theirs) = (
            call(Ending::Trap(Trap::TableOutOfBounds, "undefined element")),
            call(Ending::trap(Trap::TableOutOfBounds)),
        );
        assert!(difference(&ours, &theirs, Likeness::Same).is_some());
        assert!(difference(&ours, &theirs, Likeness::Alike).is_none());
        let other = call(Ending::trap(Trap::IntegerOverflow));
        assert!(difference(&ours, &other, Likeness::Alike).is_some());
        assert!(difference(&ours, &[], Likeness::Alike).is_some());
        let (outside, unaligned) =
            (call(Ending::trap(Trap::MemoryOutOfBounds)), call(Ending::trap(Trap::HeapMisaligned)));
        assert!(difference(&outside, &unaligned, Likeness::Alike).is_none());
        assert!(difference(&unaligned, &outside, Likeness::Alike).is_some());
    }

    #[test]
    fn bits_of_nans_are_the_same_between_modes_and_alike_between_engines() {
        let values = [Value::I32(1), Value::F64(0x7ff8 << 48)];
        let call = |nan| vec![Event::Called("f".into(), Ok(vec![values[0], nan]))];
        let (ours, theirs) = (call(values[1]), call(Value::F64(0xfff8 << 48)));
        assert!(difference(&ours, &theirs, Likeness::Same).is_some());
        assert!(difference(&ours, &theirs, Likeness::Alike).is_none());
        assert!(difference(&ours, &call(Value::F64(0)), Likeness::Alike).is_some());
    }

    #[test]
    fn places_are_the_same_between_modes() {
        let at = |offset| [Event::At(vec![(1, Some(offset))])];
        assert!(difference(&at(3), &at(3), Likeness::Same).is_none());
        assert!(difference(&at(3), &at(4), Likeness::Same).is_some());
    }

    #[test]
    fn nothing_after_exhaustion_is_compared() {
        let left = [
            Event::Called("f".into(), Err(Ending::Exhausted)),
            Event::Global("g".into(), Value::I32(1)),
        ];
        let right = [Event::Called("f".into(), Ok(vec![]))];
        assert!(difference(&left, &right, Likeness::Same).is_none());
        assert!(difference(&left[1..], &right, Likeness::Same).is_some());
        let fuelless = [Event::Called("f".into(), Err(Ending::trap(Trap::OutOfFuel)))];
        assert!(difference(&fuelless, &right, Likeness::Alike).is_none());
        assert!(difference(&fuelless, &right, Likeness::Same).is_some());
    }

    #[test]
    fn a_digest_tells_all_there_is_up_to_exhaustion() {
        let global = |number| Event::Global("g".into(), Value::I32(number));
        let out = |ending| Event::Called("f".into(), Err(ending));
        let same = |outcome: &[Event]| digest(outcome, Likeness::Same);
        let seen = [
            same(&[]),
            same(&[global(1)]),
            same(&[global(2)]),
            same(&[global(1), global(2)]),
            same(&[global(2), global(1)]),
            same(&[out(Ending::trap(Trap::IntegerOverflow)), global(1)]),
            same(&[out(Ending::trap(Trap::IntegerDivisionByZero)), global(1)]),
        ];
        for (at, one) in seen.iter().enumerate() {
            assert!(!seen[..at].contains(one), "{seen:x?}");
        }
        assert_eq!(same(&[global(1), out(Ending::Exhausted), global(2)]), seen[1]);
        let nan = |bits| [Event::Called("f".into(), Ok(vec![Value::F32(bits)]))];
        let [one, other] = [0x7fc0_0000, 0xffc0_0000].map(nan);
        assert_ne!(same(&one), same(&other));
        assert_eq!(digest(&one, Likeness::Alike), digest(&other, Likeness::Alike));
    }

    #[test]
    fn contents_are_told_apart() {
        let mut memory = vec![0; 1001];
        let mut seen = vec![hash(&memory)];
        for at in [0, 1, 8, 16, 999, 1000] {
            memory[at] = 1;
            seen.push(hash(&memory));
        }
        memory[0] = 2;
        seen.push(hash(&memory));
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}
