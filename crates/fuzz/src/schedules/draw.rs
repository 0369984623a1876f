//! Draws what a program does, as it goes: with the model at hand, most operations are
//! about what there is and may be done, and some are not.

use super::guest::WORK;
use super::model::{CopyState, Entry, Model, Owner, Status, TaskState};
use super::program::{Answer, Element, Func, HostOp, Kind, Name, Op, PIPES, Target};
use std::collections::VecDeque;
use zwasm_wast::mutate::Rng;

/// The most tasks, pipes and sets of a program.
const TASKS: u32 = 24;
const PIPES_OF_ALL: u32 = 12;
const SETS: u32 = 6;
/// The most operations of all tasks, and of the host.
const MOST: usize = 90;
const MOST_OF_HOST: usize = 40;

/// See the module.
pub struct Draw {
    rng: Rng,
    /// Operations that guests and the host may still do.
    left: usize,
    left_of_host: usize,
    /// One operation of so many is any; none if it is 0.
    wild: usize,
    /// Names that are given: of tasks, pipes and sets.
    tasks: u32,
    pipes: u32,
    sets: u32,
    resources: u32,
    /// What a task does next, as part of what it has begun.
    next: VecDeque<(Name, Op)>,
}

impl Draw {
    pub fn new(mut rng: Rng) -> Self {
        Self {
            left: 4 + rng.below(MOST),
            left_of_host: 2 + rng.below(MOST_OF_HOST),
            wild: [0, 0, 0, 60, 20][rng.below(5)],
            tasks: 0,
            pipes: 0,
            sets: 0,
            resources: 0,
            next: VecDeque::new(),
            rng,
        }
    }

    fn one_of(&mut self, count: usize) -> bool {
        self.rng.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.rng.below(from.len())]) }
    }

    fn task(&mut self) -> Name {
        self.tasks += 1;
        self.tasks - 1
    }

    fn pipe(&mut self) -> Name {
        self.pipes += 1;
        self.pipes - 1
    }

    fn kind(&mut self) -> Kind {
        use Kind::{Callback, Stackful, Sync, Waiting};
        [Callback, Callback, Callback, Callback, Stackful, Stackful, Stackful, Waiting, Sync]
            [self.rng.below(9)]
    }

    /// Bytes are had most, as they say most.
    fn pipe_type(&mut self) -> usize {
        [0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 8, 9][self.rng.below(17)]
    }

    /// What a task does next, or none if it is to end.
    pub fn op(&mut self, model: &Model, id: Name) -> Option<Op> {
        if let Some(at) = self.next.iter().position(|(other, _)| *other == id) {
            return self.next.remove(at).map(|(_, op)| op);
        }
        self.left = self.left.checked_sub(1)?;
        if self.wild > 0 && self.rng.below(self.wild) == 0 {
            return Some(self.wild_op(model, id));
        }
        // What is drawn may be about nothing that there is.
        Some((0..20).find_map(|_| self.tame(model, id)).unwrap_or(Op::Yield))
    }

    /// The ends that an instance has, and in which state.
    fn ends(model: &Model, instance: usize) -> Vec<(Name, bool, CopyState)> {
        let entries = model.instances[instance].table.entries();
        entries
            .filter_map(|entry| match entry {
                Entry::Waitable(Target::End { pipe, reads }) => {
                    Some((pipe, reads, model.pipes[&pipe].end(reads).state))
                }
                Entry::Waitable(Target::Subtask(_)) | Entry::Set(_) | Entry::Own(_) => None,
            })
            .collect()
    }

    fn tame(&mut self, model: &Model, id: Name) -> Option<Op> {
        let task = &model.tasks[&id];
        let instance = &model.instances[task.instance];
        let ends = Self::ends(model, task.instance);
        let sync = model.may_block(id) && self.one_of(4);
        let with = |state: CopyState| -> Vec<(Name, bool)> {
            let found = ends.iter().filter(|(.., found)| *found == state);
            found.map(|(pipe, reads, _)| (*pipe, *reads)).collect()
        };
        let alone = |target: Target| model.waitable(target).set.is_none();
        let waitables: Vec<Target> = instance
            .table
            .entries()
            .filter_map(|entry| match entry {
                Entry::Waitable(target) => Some(target),
                Entry::Set(_) | Entry::Own(_) => None,
            })
            .collect();
        let sets: Vec<Name> = instance
            .table
            .entries()
            .filter_map(|entry| match entry {
                Entry::Set(set) => Some(set),
                Entry::Waitable(_) | Entry::Own(_) => None,
            })
            .collect();
        let subtasks: Vec<Name> = waitables
            .iter()
            .filter_map(|target| match target {
                Target::Subtask(id) => Some(*id),
                Target::End { .. } => None,
            })
            .collect();
        let passed: Vec<Name> = with(CopyState::Idle)
            .into_iter()
            .filter(|(pipe, reads)| *reads && alone(Target::End { pipe: *pipe, reads: true }))
            .map(|(pipe, _)| pipe)
            .collect();
        match self.rng.below(100) {
            0..10 => {
                let ty = self.pipe_type();
                (self.pipes < PIPES_OF_ALL).then(|| Op::New { ty, pipe: self.pipe() })
            }
            10..40 => {
                let (pipe, reads) = self.pick(&with(CopyState::Idle))?;
                let sync = sync && alone(Target::End { pipe, reads });
                // Only numbers go through a pipe within an instance.
                let found = &model.pipes[&pipe];
                let within = found.end(!reads).owner == Owner::Guest(task.instance);
                if within && matches!(found.of().element, Element::String | Element::Own) {
                    return None;
                }
                Some(self.copy(id, (pipe, model.pipes[&pipe].ty), reads, sync))
            }
            40..45 => {
                let (pipe, reads) = self.pick(&with(CopyState::AsyncCopying))?;
                let sync = sync && alone(Target::End { pipe, reads });
                Some(Op::Cancel { pipe, reads, sync })
            }
            45..50 => {
                let mut free = with(CopyState::Done);
                free.extend(with(CopyState::Idle));
                let (pipe, reads) = self.pick(&free)?;
                let (_, future) = model.pipe_type(pipe)?;
                let idle = model.pipes[&pipe].end(reads).state == CopyState::Idle;
                (!(future && !reads && idle)).then_some(Op::Drop { pipe, reads })
            }
            50..53 => {
                self.sets += 1;
                (self.sets <= SETS).then_some(Op::SetNew(self.sets - 1))
            }
            53..61 => {
                let target = self.pick(&waitables)?;
                let set = self.pick(&sets)?;
                let leaves = self.one_of(6);
                Some(Op::Join(target, (!leaves).then_some(set)))
            }
            61..64 => {
                let set = self.pick(&sets)?;
                (sync && !model.members(set).is_empty()).then_some(Op::SetWait(set))
            }
            64..67 => self.pick(&sets).map(Op::SetPoll),
            67..68 => {
                let set = self.pick(&sets)?;
                model.members(set).is_empty().then_some(Op::SetDrop(set))
            }
            68..78 => {
                let kind = self.kind();
                let end = if self.one_of(2) { self.pick(&passed) } else { None };
                let sync = self.one_of(3) && (model.may_block(id) || !kind.blocks());
                let new = self.tasks < TASKS;
                new.then(|| Op::Call { kind, sync, id: self.task(), end })
            }
            78..80 => {
                let id = self.pick(&subtasks)?;
                let found = &model.subtasks[&id];
                let sync = sync && alone(Target::Subtask(id));
                let may = !found.delivered && !found.cancel_requested;
                may.then_some(Op::SubtaskCancel { id, sync })
            }
            80..82 => {
                let id = self.pick(&subtasks)?;
                model.is_over(id).then_some(Op::SubtaskDrop(id))
            }
            82..84 => Some(Op::Yield),
            84..86 => {
                let more = instance.pressure == 0 && self.one_of(2);
                (more || instance.pressure > 0).then_some(Op::Pressure { more })
            }
            86..89 => {
                let may = task.kind.lifted_async() && task.state != TaskState::Resolved;
                let end = if self.one_of(2) { self.pick(&passed) } else { None };
                may.then_some(Op::Return(end))
            }
            89..90 => (task.state == TaskState::CancelDelivered).then_some(Op::TaskCancel),
            90..92 => {
                let end = if self.one_of(2) { self.pick(&passed) } else { None };
                let may = !task.kind.lifted_async() || task.state == TaskState::Resolved;
                may.then_some(Op::Exit(end))
            }
            92..94 => (task.kind == Kind::Callback).then_some(Op::ExitYield),
            94..98 => {
                let set = self.pick(&sets)?;
                let waits = task.kind == Kind::Callback && !model.members(set).is_empty();
                waits.then_some(Op::ExitWait(set))
            }
            98 => {
                let owned = instance.table.entries().filter_map(|entry| match entry {
                    Entry::Own(resource) => Some(resource),
                    Entry::Waitable(_) | Entry::Set(_) => None,
                });
                let owned: Vec<Name> = owned.collect();
                self.pick(&owned).map(Op::ResourceDrop)
            }
            _ => {
                let address = 4 * self.rng.below(WORK / 4) as u32;
                Some(Op::Store { address, value: self.rng.bits() as u32 & 0x7f7f_7f7f })
            }
        }
    }

    /// A copy of a few elements; texts and resources that are written are made before.
    fn copy(&mut self, id: Name, (pipe, ty): (Name, usize), reads: bool, sync: bool) -> Op {
        let element = PIPES[ty].element;
        let length = if self.one_of(5) { 0 } else { 1 + self.rng.below(6) as u32 };
        let length = if PIPES[ty].future { 1 } else { length };
        let size = element.size().max(1);
        let places = WORK as u32 / size - length;
        let address = self.rng.below(places as usize) as u32 * size;
        let copy = Op::Copy { pipe, reads, sync, address, length };
        if reads || length == 0 || !matches!(element, Element::String | Element::Own) {
            return copy;
        }
        for at in 0..length {
            if element == Element::Own {
                let (address, resource) = (address + 4 * at, self.resources);
                self.resources += 1;
                self.next.push_back((id, Op::Make(resource)));
                self.next.push_back((id, Op::StoreOwn { address, resource }));
                continue;
            }
            let begin = self.rng.below(WORK - 8) as u32;
            let size = 1 + self.rng.below(5) as u32;
            let address = address + 8 * at;
            self.next.push_back((id, Op::Store { address, value: begin }));
            self.next.push_back((id, Op::Store { address: address + 4, value: size }));
        }
        self.next.push_back((id, copy));
        // The first of them is what is done now.
        let first = self.next.iter().position(|(other, _)| *other == id);
        first.and_then(|at| self.next.remove(at)).map_or(copy, |(_, op)| op)
    }

    /// Any function with any numbers, or something that may be wrong.
    fn wild_op(&mut self, model: &Model, id: Name) -> Op {
        let all = Func::all();
        let func = all[self.rng.below(all.len())];
        let x = self.rng.below(14) as u32;
        let y = if self.one_of(8) { 65530 + self.rng.below(6) } else { self.rng.below(WORK) };
        let y = if matches!(func, Func::Join | Func::Return) { self.rng.below(14) } else { y };
        let z = self.rng.below(7) as u32;
        let ends = Self::ends(model, model.tasks[&id].instance);
        let sync = self.one_of(2);
        match (self.rng.below(5), self.pick(&ends)) {
            (0, Some((pipe, reads, _))) => Op::Drop { pipe, reads },
            (1, Some((pipe, reads, _))) => Op::Cancel { pipe, reads, sync },
            (2, Some((pipe, reads, _))) => Op::Copy { pipe, reads, sync, address: 8, length: z },
            (3, _) if self.one_of(6) => Op::Trap,
            (3, _) => Op::Exit(None),
            _ => Op::Raw { func, x, y: y as u32, z },
        }
    }

    /// How a function of the host answers.
    pub fn answer(&mut self, model: &Model) -> Answer {
        let ends = Self::host_ends(model);
        let ends: Vec<Name> =
            ends.iter().filter(|(_, reads)| *reads).map(|(pipe, _)| *pipe).collect();
        let end = if self.one_of(2) { self.pick(&ends) } else { None };
        Answer { later: self.one_of(2), end }
    }

    fn host_ends(model: &Model) -> Vec<(Name, bool)> {
        let sides = model.pipes.keys().flat_map(|pipe| [(*pipe, true), (*pipe, false)]);
        sides.filter(|(pipe, reads)| model.host_has(*pipe, *reads)).collect()
    }

    /// What the host does next, or none if it does no more.
    pub fn host_op(&mut self, model: &Model) -> Option<HostOp> {
        self.left_of_host = self.left_of_host.checked_sub(1)?;
        let found = (0..20).find_map(|_| self.tame_host(model));
        Some(found.unwrap_or(HostOp::Quiet))
    }

    fn tame_host(&mut self, model: &Model) -> Option<HostOp> {
        let ends = Self::host_ends(model);
        let given: Vec<Name> = ends
            .iter()
            .filter(|(pipe, reads)| *reads && model.host_may_give(*pipe))
            .map(|(pipe, _)| *pipe)
            .collect();
        let waiting: Vec<Name> = model
            .subtasks
            .iter()
            .filter(|(_, found)| found.host && !found.finishing && found.pends())
            .map(|(id, _)| *id)
            .collect();
        let runs = model.tasks.values().filter(|task| task.status != Status::Ended).count();
        match self.rng.below(40) {
            0..10 => {
                let (kind, instance) = (self.kind(), usize::from(!self.one_of(4)));
                let end = if self.one_of(2) { self.pick(&given) } else { None };
                let may = model.takes_calls(instance, kind) && self.tasks < TASKS && runs < 8;
                may.then(|| HostOp::Start { id: self.task(), instance, kind, end })
            }
            10..14 => {
                let ty = self.pipe_type();
                (self.pipes < PIPES_OF_ALL).then(|| HostOp::New { ty, pipe: self.pipe() })
            }
            14..26 => {
                let (pipe, reads) = self.pick(&ends)?;
                Some(HostOp::Copy { pipe, reads, length: 1 + self.rng.below(5) as u32 })
            }
            26..28 => {
                let (pipe, reads) = self.pick(&ends)?;
                Some(HostOp::Drop { pipe, reads })
            }
            28..32 => self.pick(&waiting).map(HostOp::Finish),
            32..36 => Some(HostOp::Step),
            _ => Some(HostOp::Quiet),
        }
    }
}
