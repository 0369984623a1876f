//! Handles: programs of random operations on them, and what has to come of it.
//!
//! A component that has a resource makes, looks at, keeps and gives back what another one
//! holds. The program is straight core code, in which a handle is what
//! some operation before returned, or any number. A model of the tables says what each
//! operation returns, and at which one the program traps.
//!
//! Specification: Canonical ABI, "Table State", `canon resource.new`, `resource.drop`,
//! `resource.rep`.

use std::fmt::Write;
use zwasm_wast::mutate::Rng;

/// Operations of a program.
const MOST: usize = 24;

/// A program as a component, and what it has to come to.
pub struct Handles {
    /// The component, in text.
    pub text: String,
    /// What `run` returns, or a part of what its trap says.
    pub expected: Result<u32, String>,
}

/// The resources that there are.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// The owner's.
    R,
    /// The program's own.
    S,
}

/// A component's table: a place that became free is taken again before new ones, the last
/// one first.
struct Table {
    places: Vec<Option<(Of, u32)>>,
    free: Vec<usize>,
}

impl Table {
    fn new() -> Self {
        // There is no handle 0.
        Self { places: vec![None], free: Vec::new() }
    }

    fn add(&mut self, of: Of, rep: u32) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some((of, rep));
        place as u32
    }

    fn get(&self, handle: u32, of: Of) -> Result<u32, String> {
        match self.places.get(handle as usize).copied().flatten() {
            None => Err(format!("unknown handle index {handle}")),
            Some((found, _)) if found != of => {
                Err(format!("handle index {handle} used with the wrong type"))
            }
            Some((_, rep)) => Ok(rep),
        }
    }

    fn remove(&mut self, handle: u32, of: Of) -> Result<u32, String> {
        let rep = self.get(handle, of)?;
        self.places[handle as usize] = None;
        self.free.push(handle as usize);
        Ok(rep)
    }
}

/// What the components know.
struct Model {
    /// The program's table, and that of the owner of resource `R`.
    user: Table,
    owner: Table,
    /// How many of the owner's were destroyed, and which one last.
    dropped: u32,
    last: u32,
}

impl Model {
    fn destroy(&mut self, rep: u32) {
        self.dropped += 1;
        self.last = rep;
    }

    /// What the operation returns.
    fn perform(&mut self, operation: Operation, argument: u32) -> Result<u32, String> {
        use Operation as O;
        let (user, owner) = (&mut self.user, &mut self.owner);
        Ok(match operation {
            O::Make => user.add(Of::R, argument),
            O::Look => user.get(argument, Of::R)?,
            O::Take => {
                let rep = user.remove(argument, Of::R)?;
                let handle = owner.add(Of::R, rep);
                owner.remove(handle, Of::R)?;
                self.destroy(rep);
                rep
            }
            O::Keep => {
                let rep = user.remove(argument, Of::R)?;
                owner.add(Of::R, rep)
            }
            O::Give => {
                let rep = owner.remove(argument, Of::R)?;
                user.add(Of::R, rep)
            }
            O::Hold => {
                let rep = user.remove(argument, Of::R)?;
                user.add(Of::R, rep)
            }
            O::Drop => {
                let rep = user.remove(argument, Of::R)?;
                self.destroy(rep);
                0
            }
            O::NewOwn => user.add(Of::S, argument),
            O::RepOwn => user.get(argument, Of::S)?,
            O::DropOwn => {
                user.remove(argument, Of::S)?;
                0
            }
            O::Dropped => self.dropped.wrapping_mul(1000).wrapping_add(self.last),
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    /// A new `R` with the argument as what it stands for.
    Make,
    /// What a borrowed `R` stands for.
    Look,
    /// The same of an owned one, which is destroyed.
    Take,
    /// The owner keeps it, and says under which number.
    Keep,
    /// The owner gives what it has under a number.
    Give,
    /// To the owner and back.
    Hold,
    Drop,
    NewOwn,
    RepOwn,
    DropOwn,
    /// How many were destroyed.
    Dropped,
}

const ALL: [(Operation, &str); 11] = [
    (Operation::Make, "make"),
    (Operation::Look, "look"),
    (Operation::Take, "take"),
    (Operation::Keep, "keep"),
    (Operation::Give, "give"),
    (Operation::Hold, "hold"),
    (Operation::Drop, "drop"),
    (Operation::NewOwn, "new-own"),
    (Operation::RepOwn, "rep-own"),
    (Operation::DropOwn, "drop-own"),
    (Operation::Dropped, "dropped"),
];

impl Handles {
    /// The program of a number.
    pub fn draw(seed: u64, number: u64) -> Self {
        let rng = &mut Rng::for_case(!seed, number);
        let mut model = Model { user: Table::new(), owner: Table::new(), dropped: 0, last: 0 };
        // Half of the programs have no number that no operation returned.
        let forges = rng.below(2) == 0;
        let mut code = String::new();
        let mut sum = 0_u32;
        let mut expected = None;
        // What operations returned, with what they were.
        let mut returned: Vec<(Operation, u32)> = Vec::new();
        for _ in 0..1 + rng.below(MOST) {
            let (operation, name) = ALL[rng.below(ALL.len())];
            use Operation as O;
            let made: &[O] = match operation {
                O::Make | O::NewOwn | O::Dropped => &[],
                O::Look | O::Take | O::Keep | O::Hold | O::Drop => &[O::Make, O::Give, O::Hold],
                O::Give => &[O::Keep],
                O::RepOwn | O::DropOwn => &[O::NewOwn],
            };
            let kept: Vec<usize> =
                (0..returned.len()).filter(|at| made.contains(&returned[*at].0)).collect();
            let (argument, value) = match rng.pick(&kept) {
                Some(&at) if !(forges && rng.below(12) == 0) => {
                    (format!("(local.get {at})"), returned[at].1)
                }
                None if !made.is_empty() && !forges => continue,
                _ => {
                    let value = [rng.below(6) as u32, rng.below(1000) as u32, u32::MAX, 1 << 28]
                        [if made.is_empty() { 1 } else { rng.below(4) }];
                    (format!("(i32.const {})", value as i32), value)
                }
            };
            let local = returned.len();
            let _ = writeln!(
                code,
                "(local.set {local} (call ${name} {argument}))
                 (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (local.get {local})))"
            );
            match model.perform(operation, value) {
                Ok(result) => {
                    sum = sum.wrapping_mul(31).wrapping_add(result);
                    returned.push((operation, result));
                }
                Err(trap) => {
                    expected = Some(trap);
                    // What follows is not reached, and need not be there.
                    returned.push((operation, 0));
                    break;
                }
            }
        }
        let locals = " i32".repeat(returned.len());
        let body = format!("(local{locals}) (local $sum i32) {code} (local.get $sum)");
        Self { text: text(&body), expected: expected.map_or(Ok(sum), Err) }
    }
}

fn text(body: &str) -> String {
    let imports: String = ALL
        .iter()
        .map(|(_, name)| {
            format!("(import \"\" \"{name}\" (func ${name} (param i32) (result i32)))")
        })
        .collect();
    let given: String =
        ALL.iter().map(|(_, name)| format!("(export \"{name}\" (func ${name}))")).collect();
    format!(
        "(component
  (component $owner
    (core module $d
      (global $count (mut i32) (i32.const 0)) (global $last (mut i32) (i32.const 0))
      (func (export \"dtor\") (param i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.set $last (local.get 0)))
      (func (export \"dropped\") (param i32) (result i32)
        (i32.add (i32.mul (global.get $count) (i32.const 1000)) (global.get $last))))
    (core instance $d (instantiate $d))
    (type $r (resource (rep i32) (dtor (core func $d \"dtor\"))))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $r))
    (core func $drop (canon resource.drop $r))
    (core module $m
      (import \"\" \"new\" (func $new (param i32) (result i32)))
      (import \"\" \"rep\" (func $rep (param i32) (result i32)))
      (import \"\" \"drop\" (func $drop (param i32)))
      (func (export \"make\") (param i32) (result i32) (call $new (local.get 0)))
      (func (export \"take\") (param i32) (result i32) (local $rep i32)
        (local.set $rep (call $rep (local.get 0)))
        (call $drop (local.get 0))
        (local.get $rep))
      (func (export \"same\") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m (with \"\" (instance
      (export \"new\" (func $new)) (export \"rep\" (func $rep)) (export \"drop\" (func $drop))))))
    (export $e \"r\" (type $r))
    (func (export \"make\") (param \"x\" u32) (result (own $e)) (canon lift (core func $i \"make\")))
    (func (export \"look\") (param \"x\" (borrow $e)) (result u32) (canon lift (core func $i \"same\")))
    (func (export \"take\") (param \"x\" (own $e)) (result u32) (canon lift (core func $i \"take\")))
    (func (export \"keep\") (param \"x\" (own $e)) (result u32) (canon lift (core func $i \"same\")))
    (func (export \"give\") (param \"x\" u32) (result (own $e)) (canon lift (core func $i \"same\")))
    (func (export \"dropped\") (param \"x\" u32) (result u32) (canon lift (core func $d \"dropped\"))))
  (instance $owner (instantiate $owner))
  (component $user
    (import \"owner\" (instance $o
      (export \"r\" (type $r (sub resource)))
      (export \"make\" (func (param \"x\" u32) (result (own $r))))
      (export \"look\" (func (param \"x\" (borrow $r)) (result u32)))
      (export \"take\" (func (param \"x\" (own $r)) (result u32)))
      (export \"keep\" (func (param \"x\" (own $r)) (result u32)))
      (export \"give\" (func (param \"x\" u32) (result (own $r))))
      (export \"dropped\" (func (param \"x\" u32) (result u32)))))
    (alias export $o \"r\" (type $r))
    (type $s (resource (rep i32)))
    (core func $make (canon lower (func $o \"make\")))
    (core func $look (canon lower (func $o \"look\")))
    (core func $take (canon lower (func $o \"take\")))
    (core func $keep (canon lower (func $o \"keep\")))
    (core func $give (canon lower (func $o \"give\")))
    (core func $dropped (canon lower (func $o \"dropped\")))
    (core func $drop' (canon resource.drop $r))
    (core func $drop-own' (canon resource.drop $s))
    (core func $new-own (canon resource.new $s))
    (core func $rep-own (canon resource.rep $s))
    (core module $t
      (import \"\" \"drop\" (func $drop (param i32)))
      (import \"\" \"drop-own\" (func $drop-own (param i32)))
      (import \"\" \"keep\" (func $keep (param i32) (result i32)))
      (import \"\" \"give\" (func $give (param i32) (result i32)))
      (func (export \"drop\") (param i32) (result i32) (call $drop (local.get 0)) (i32.const 0))
      (func (export \"hold\") (param i32) (result i32) (call $give (call $keep (local.get 0))))
      (func (export \"drop-own\") (param i32) (result i32)
        (call $drop-own (local.get 0)) (i32.const 0)))
    (core instance $t (instantiate $t (with \"\" (instance
      (export \"drop\" (func $drop')) (export \"drop-own\" (func $drop-own'))
      (export \"keep\" (func $keep)) (export \"give\" (func $give))))))
    (alias core export $t \"drop\" (core func $drop))
    (alias core export $t \"hold\" (core func $hold))
    (alias core export $t \"drop-own\" (core func $drop-own))
    (core module $m
      {imports}
      (func (export \"run\") (result i32) {body}))
    (core instance $i (instantiate $m (with \"\" (instance {given}))))
    (func (export \"run\") (result u32) (canon lift (core func $i \"run\"))))
  (instance $user (instantiate $user (with \"owner\" (instance $owner))))
  (export \"run\" (func $user \"run\")))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_valid_and_end_in_either_way() {
        use wasmparser::{Validator, WasmFeatures};
        let features = WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL;
        let mut returning = 0;
        for number in 0..200 {
            let Handles { text, expected } = Handles::draw(1, number);
            let bytes =
                wat::parse_str(&text).unwrap_or_else(|error| panic!("{number}: {error}\n{text}"));
            if let Err(error) = Validator::new_with_features(features).validate_all(&bytes) {
                panic!("{number}: {error}\n{text}");
            }
            returning += u32::from(expected.is_ok());
        }
        assert!((40..160).contains(&returning), "{returning}");
    }

    #[test]
    fn places_are_taken_again_from_the_last_on() {
        let mut table = Table::new();
        assert_eq!([table.add(Of::R, 5), table.add(Of::S, 6), table.add(Of::R, 7)], [1, 2, 3]);
        assert_eq!((table.remove(1, Of::R), table.remove(2, Of::S)), (Ok(5), Ok(6)));
        assert_eq!(table.get(3, Of::S), Err("handle index 3 used with the wrong type".into()));
        assert_eq!([table.add(Of::R, 8), table.add(Of::R, 9), table.add(Of::R, 10)], [2, 1, 4]);
        assert!(table.get(0, Of::R).is_err() && table.get(9, Of::R).is_err());
    }
}
