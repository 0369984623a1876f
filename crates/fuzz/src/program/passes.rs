//! What passes of an optimizing compiler are for is among the programs, found in their
//! bytes.

use super::program;
use std::collections::HashMap;
use wasmparser::{FunctionBody, Operator, Parser, Payload};
use zwasm_wast::mutate::Rng;

/// How often something was seen.
#[derive(Default, Debug)]
struct Passes {
    /// Loads of the same place, computed in the same way, with a store, a call or the
    /// header of a loop in between.
    loads: u32,
    /// The same of fields of what is in one local.
    fields: u32,
    /// Reads of a global with a write to it, or a call, in between.
    globals: u32,
    /// Tests and casts of a local that has been tested or cast to the same type before.
    casts: u32,
    /// Structures that are made into a local and read from there.
    objects: u32,
    /// Loops with a try in them that has calls in it.
    tries: u32,
    /// Tables of branches one of which goes back to a loop around.
    machines: u32,
    /// Divisions by constants.
    divisions: u32,
    /// A shift to the left and one to the right, by what makes a rotation.
    rotations: u32,
    /// Four products and more of 64 bits close to each other.
    products: u32,
    /// Masks of bytes, three and more, close to each other.
    swaps: u32,
    /// Loads whose address is computed from a counter of the loop.
    walks: u32,
    /// Exits of a loop that depend on what was loaded.
    searches: u32,
    /// Copies and fills whose length is a constant below 80.
    bulk: u32,
    /// Calls with more than 16 operands waiting that are not theirs.
    pressure: u32,
    /// The longest chain of calls between functions of less than 64 bytes.
    deepest: u32,
}

/// How far back something counts as close.
const CLOSE: usize = 60;

/// An instruction as text, to be compared.
fn text(operator: &Operator<'_>) -> String {
    format!("{operator:?}")
}

impl Passes {
    fn look(&mut self, bytes: &[u8]) {
        let bodies: Vec<FunctionBody<'_>> = Parser::new(0)
            .parse_all(bytes)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CodeSectionEntry(body) => Some(body),
                _ => None,
            })
            .collect();
        let mut calls = Vec::new();
        for body in &bodies {
            let operators = body.get_operators_reader().unwrap().into_iter();
            let all: Vec<Operator<'_>> = operators.map(Result::unwrap).collect();
            self.redundant(&all);
            self.shaped(&all);
            self.arithmetic(&all);
            let small = body.as_bytes().len() < 64;
            let called = all.iter().filter_map(|operator| match operator {
                Operator::Call { function_index } if small => Some(*function_index as usize),
                _ => None,
            });
            calls.push((small, called.collect::<Vec<_>>()));
        }
        for function in 0..calls.len() {
            self.deepest = self.deepest.max(chain(&calls, function, &mut Vec::new()));
        }
    }

    /// What is read, tested or made again.
    fn redundant(&mut self, all: &[Operator<'_>]) {
        let mut seen = HashMap::<String, usize>::new();
        // What the last change of memory, globals and objects was.
        let mut changed = 0;
        let mut casts: Vec<(u32, String)> = Vec::new();
        let mut made: Vec<u32> = Vec::new();
        for (at, operator) in all.iter().enumerate() {
            let back = |by: usize| at.checked_sub(by).map(|at| &all[at]);
            let window = |length: usize| {
                let start = at.saturating_sub(length - 1);
                all[start..=at].iter().map(text).collect::<String>()
            };
            match operator {
                Operator::I32Store { .. }
                | Operator::I64Store { .. }
                | Operator::I32Store8 { .. }
                | Operator::F64Store { .. }
                | Operator::GlobalSet { .. }
                | Operator::StructSet { .. }
                | Operator::Call { .. }
                | Operator::Loop { .. } => changed = at,
                Operator::I32Load { .. }
                | Operator::I32Load8U { .. }
                | Operator::I32Load16S { .. }
                | Operator::I64Load { .. }
                | Operator::F32Load { .. }
                | Operator::F64Load { .. }
                | Operator::V128Load { .. } => {
                    let before = seen.insert(window(4), at);
                    self.loads += u32::from(before.is_some_and(|before| before < changed));
                }
                Operator::StructGet { .. }
                    if matches!(back(1), Some(Operator::LocalGet { .. })) =>
                {
                    let before = seen.insert(window(2), at);
                    self.fields += u32::from(before.is_some_and(|before| before < changed));
                    let Some(Operator::LocalGet { local_index }) = back(1) else { continue };
                    self.objects += u32::from(made.contains(local_index));
                }
                Operator::GlobalGet { .. } => {
                    let before = seen.insert(window(1), at);
                    self.globals += u32::from(before.is_some_and(|before| before < changed));
                }
                Operator::RefTestNonNull { hty }
                | Operator::RefTestNullable { hty }
                | Operator::RefCastNonNull { hty }
                | Operator::RefCastNullable { hty } => {
                    if let Some(Operator::LocalGet { local_index }) = back(1) {
                        let cast = (*local_index, format!("{hty:?}"));
                        self.casts += u32::from(casts.contains(&cast));
                        casts.push(cast);
                    }
                }
                Operator::LocalSet { local_index } => {
                    casts.retain(|(local, _)| local != local_index);
                    made.retain(|local| local != local_index);
                    if matches!(
                        back(1),
                        Some(Operator::StructNew { .. } | Operator::StructNewDefault { .. })
                    ) {
                        made.push(*local_index);
                    }
                }
                _ => {}
            }
        }
    }

    /// What blocks, loops and branches are around.
    fn shaped(&mut self, all: &[Operator<'_>]) {
        #[derive(PartialEq)]
        enum Around {
            Loop,
            Try,
            Other,
        }
        let mut around = Vec::new();
        let mut loaded = 0;
        for (at, operator) in all.iter().enumerate() {
            match operator {
                Operator::Loop { .. } => around.push(Around::Loop),
                Operator::TryTable { .. } => around.push(Around::Try),
                Operator::Block { .. } | Operator::If { .. } => around.push(Around::Other),
                Operator::End => {
                    around.pop();
                }
                Operator::Call { .. } => {
                    let within = around.iter().rposition(|each| *each == Around::Try);
                    let in_loop = within.is_some_and(|at| around[..at].contains(&Around::Loop));
                    self.tries += u32::from(in_loop);
                    let waiting =
                        all[at.saturating_sub(CLOSE)..at].iter().rev().take_while(|operator| {
                            matches!(
                                operator,
                                Operator::LocalGet { .. }
                                    | Operator::I32Const { .. }
                                    | Operator::I64Const { .. }
                                    | Operator::F64Const { .. }
                                    | Operator::GlobalGet { .. }
                            )
                        });
                    self.pressure += u32::from(waiting.count() > 16);
                }
                Operator::BrTable { targets } => {
                    let is_loop = |depth: u32| {
                        let at = around.len().checked_sub(depth as usize + 1);
                        at.is_some_and(|at| around[at] == Around::Loop)
                    };
                    // Of the labels that the table is in, all are blocks; behind them the
                    // loop is gone back to.
                    let most = targets.targets().map(Result::unwrap).max().unwrap_or(0);
                    let near = most.max(targets.default());
                    self.machines += u32::from((0..=near + 1).any(is_loop));
                }
                Operator::I32Load8U { .. } | Operator::I32Load { .. } => loaded = at,
                Operator::BrIf { relative_depth: 1 } if at - loaded < 4 => {
                    self.searches += u32::from(around.last() == Some(&Around::Loop));
                }
                _ => {}
            }
        }
    }

    /// What is computed.
    fn arithmetic(&mut self, all: &[Operator<'_>]) {
        for (at, operator) in all.iter().enumerate() {
            let before = &all[at.saturating_sub(CLOSE)..at];
            let count =
                |is: &dyn Fn(&Operator<'_>) -> bool| before.iter().filter(|each| is(each)).count();
            let constant = match before.last() {
                Some(Operator::I32Const { value }) => Some(i64::from(*value)),
                Some(Operator::I64Const { value }) => Some(*value),
                _ => None,
            };
            match operator {
                Operator::I32DivS
                | Operator::I32DivU
                | Operator::I32RemS
                | Operator::I32RemU
                | Operator::I64DivS
                | Operator::I64DivU
                | Operator::I64RemS
                | Operator::I64RemU => self.divisions += u32::from(constant.is_some()),
                Operator::I32ShrU | Operator::I32Shl => {
                    let other = |pair: &[Operator<'_>]| match pair {
                        [Operator::I32Const { value }, Operator::I32ShrU | Operator::I32Shl] => {
                            constant.is_some_and(|by| i64::from(*value) + by == 32)
                        }
                        _ => false,
                    };
                    self.rotations += u32::from(before.windows(2).any(other));
                }
                Operator::I64Mul => {
                    self.products +=
                        u32::from(count(&|each| matches!(each, Operator::I64Mul)) >= 3);
                }
                Operator::I32Or => {
                    let byte = |each: &Operator<'_>| match each {
                        Operator::I32Const { value } => {
                            matches!(*value as u32, 0xff00 | 0xff_0000)
                        }
                        _ => false,
                    };
                    self.swaps += u32::from(count(&byte) >= 2);
                }
                Operator::I32Load { .. } | Operator::I64Load { .. } | Operator::I32Store { .. } => {
                    let scaled = |window: &[Operator<'_>]| {
                        matches!(
                            window,
                            [
                                Operator::I32Const { value: 15 },
                                Operator::I32And,
                                Operator::I32Const { .. },
                                Operator::I32Shl,
                                ..
                            ]
                        )
                    };
                    let close = &before[before.len().saturating_sub(12)..];
                    self.walks += u32::from(close.windows(4).any(scaled));
                }
                Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } => {
                    self.bulk += u32::from(constant.is_some_and(|length| length < 80));
                }
                _ => {}
            }
        }
    }
}

/// How many small functions call each other from this one on.
fn chain(calls: &[(bool, Vec<usize>)], function: usize, path: &mut Vec<usize>) -> u32 {
    let (small, called) = &calls[function];
    if !small || path.contains(&function) || path.len() > 8 {
        return 0;
    }
    path.push(function);
    let longest = called.iter().map(|next| chain(calls, *next, path)).max().unwrap_or(0);
    path.pop();
    longest + 1
}

#[test]
fn programs_reach_every_pass() {
    let mut passes = Passes::default();
    for case in 0..2000 {
        passes.look(&program(&mut Rng::for_case(11, case)));
    }
    let Passes { loads, fields, globals, casts, objects, tries, machines, divisions, .. } = passes;
    let Passes { rotations, products, swaps, walks, searches, bulk, pressure, .. } = passes;
    let all = [
        loads, fields, globals, casts, objects, tries, machines, divisions, rotations, products,
        swaps, walks, searches, bulk, pressure,
    ];
    assert!(all.iter().all(|count| *count > 100), "{passes:?}");
    assert!(passes.deepest >= 4, "{passes:?}");
}
