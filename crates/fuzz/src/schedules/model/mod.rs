//! The specification's state, plainly: what there is, and what each operation does to it.
//!
//! It follows the Python of the Canonical ABI class by class, and shares no code with the
//! library. It does not choose who runs next: it is told, by what the guests and the host
//! do, and says whether that may be. So every order is accepted that the specification
//! allows, and none else; when nothing runs any more, nobody may be ready who does not.
//!
//! Specification: Canonical ABI, "Runtime State" and "Canonical Definitions".

mod exec;
mod pipe;
mod task;

use super::guest::{self, OUT, OUTS, ROOM};
use super::program::{Answer, Element, Kind, Name, PIPES, PipeType, Target};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use pipe::{Copied, Value};
pub use task::Begun;

/// A part of what a trap says.
pub type Trap = &'static str;

pub const UNKNOWN: Trap = "unknown handle index";
pub const WRONG_TYPE: Trap = "used with the wrong type";
pub const NO_BLOCK: Trap = "cannot block a synchronous task before returning";
pub const IN_SET: Trap = "waitable cannot be used synchronously while added to a waitable set";

/// Bytes of a memory.
const PAGE: usize = 1 << 16;

/// What a guest gets for what is under way.
pub const BLOCKED: u64 = u32::MAX as u64;

/// What a handle stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    Waitable(Target),
    Set(Name),
    /// The owner of a resource, by what represents it.
    Own(Name),
}

/// The handles of an instance: a place that became free is taken again before new ones,
/// the last one first.
pub struct Table {
    places: Vec<Option<Entry>>,
    free: Vec<usize>,
}

impl Table {
    fn new() -> Self {
        Self { places: vec![None], free: Vec::new() }
    }

    fn add(&mut self, entry: Entry) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(entry);
        place as u32
    }

    fn get(&self, index: u32) -> Result<Entry, Trap> {
        self.places.get(index as usize).copied().flatten().ok_or(UNKNOWN)
    }

    fn remove(&mut self, index: u32) {
        if self.places[index as usize].take().is_some() {
            self.free.push(index as usize);
        }
    }

    /// The handle of something.
    pub fn find(&self, entry: Entry) -> Option<u32> {
        self.places.iter().position(|place| *place == Some(entry)).map(|at| at as u32)
    }

    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.places.iter().copied().flatten()
    }
}

/// A component instance.
pub struct Instance {
    pub table: Table,
    memory: Vec<u8>,
    /// Where `realloc` finds room.
    room: usize,
    pub pressure: u32,
    pub exclusive: Option<Name>,
    pub waiting_to_enter: u32,
}

/// What has happened to a waitable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// A subtask has another state.
    Progress,
    /// A copy came so far; at delivery it is over, and its buffer given back if that is
    /// to be done.
    Copied { result: CopyResult, reclaims: bool },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyResult {
    Completed,
    Dropped,
    Cancelled,
}

/// Something that can be waited for.
#[derive(Default)]
pub struct Waitable {
    event: Option<Event>,
    pub set: Option<Name>,
    /// Its handle, or 0.
    index: u32,
    /// Whether a thread waits for just this.
    waited: bool,
}

/// A set of waitables.
#[derive(Default)]
pub struct Set {
    /// How many threads wait.
    waiting: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskState {
    Initial,
    PendingCancel,
    CancelDelivered,
    Resolved,
}

/// A call of a guest's function.
pub struct Task {
    pub instance: usize,
    pub kind: Kind,
    pub state: TaskState,
    caller: Caller,
    given: Given,
    pub status: Status,
    /// The operation that its code is in while others run on top of it.
    flight: Option<Flight>,
    /// What it has to tell next.
    told: Option<Told>,
    /// Whether it goes on by being told that it is cancelled.
    cancelled: bool,
    /// What the host gets: an end or nothing, or that it was cancelled.
    pub result: Option<Option<Option<Name>>>,
}

#[derive(Clone, Copy)]
enum Caller {
    Host,
    Guest(Name),
}

/// An argument, before the task begins.
#[derive(Clone, Copy)]
enum Given {
    /// Core values of the calling instance.
    Guest {
        instance: usize,
        case: u32,
        index: u32,
    },
    Host(Option<Name>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It was called, and is about to begin.
    New,
    /// It is on the stack.
    Running,
    Waiting(Wait),
    Ended,
}

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    Enter,
    Turn,
    CallbackTurn,
    CallbackSet(Name),
    Set(Name),
    /// The end of a copy.
    Copy {
        pipe: Name,
        reads: bool,
    },
    /// The result of a call.
    Call(Name),
    /// The end of a call that it has cancelled.
    Cancelled(Name),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flight {
    Call(Name),
    Cancel { id: Name, sync: bool },
}

/// What a guest tells of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    Is {
        what: u32,
        a: u64,
        b: u32,
    },
    /// Any event of a set.
    EventOf {
        set: Name,
        what: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub enum SubtaskState {
    Starting,
    Started,
    Returned,
    CancelledBeforeStarted,
    CancelledBeforeReturned,
}

/// A call that a guest makes.
pub struct Subtask {
    /// Who calls.
    instance: usize,
    pub state: SubtaskState,
    pub delivered: bool,
    pub cancel_requested: bool,
    sync: bool,
    /// Whether the callee is a function of the host.
    pub host: bool,
    /// Whether the host was let go on with it.
    pub finishing: bool,
    pub waitable: Waitable,
}

impl Subtask {
    /// Whether it is a function of the host's that is not finished.
    pub fn pends(&self) -> bool {
        self.host && self.state == SubtaskState::Started
    }
}

/// Whose an end is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    Guest(usize),
    Host,
    /// The host's, as soon as it takes the result of its call.
    ToHost,
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyState {
    Idle,
    SyncCopying,
    AsyncCopying,
    Cancelling,
    Done,
}

/// An end of a pipe.
pub struct End {
    pub owner: Owner,
    pub state: CopyState,
    pub waitable: Waitable,
    /// What is copied, or was in the last copy.
    buffer: pipe::Buffer,
    /// How the host's copy has ended, of which it was not told yet.
    pub host_done: Option<CopyResult>,
}

/// A stream or future.
pub struct Pipe {
    pub ty: usize,
    /// The readable and the writable end.
    pub ends: [End; 2],
    dropped: bool,
    /// Which side waits for the other: whether it reads.
    pending: Option<bool>,
}

impl Pipe {
    pub fn of(&self) -> PipeType {
        PIPES[self.ty]
    }

    pub fn end(&self, reads: bool) -> &End {
        &self.ends[usize::from(!reads)]
    }

    fn end_mut(&mut self, reads: bool) -> &mut End {
        &mut self.ends[usize::from(!reads)]
    }
}

/// See the module.
pub struct Model {
    pub instances: [Instance; 2],
    pub tasks: BTreeMap<Name, Task>,
    pub subtasks: BTreeMap<Name, Subtask>,
    pub pipes: BTreeMap<Name, Pipe>,
    pub sets: BTreeMap<Name, Set>,
    pub answers: HashMap<Name, Answer>,
    /// What functions of the host were given, and how they go.
    pub given_to_host: HashMap<Name, (Option<Name>, Begun)>,
    /// Resources that there were, and which of them guests have dropped.
    pub resources: BTreeSet<Name>,
    pub dropped: Vec<Name>,
    /// Tasks that run, each on top of the one that waits for it to return or to wait.
    pub stack: Vec<Name>,
    /// The trap that has to come now, and another that may come in its place.
    pub trap: Option<Trap>,
    or_trap: Option<Trap>,
}

impl Model {
    pub fn new() -> Self {
        let instance = || {
            let mut memory = guest::memory();
            memory.resize(PAGE, 0);
            Instance {
                table: Table::new(),
                memory,
                room: ROOM,
                pressure: 0,
                exclusive: None,
                waiting_to_enter: 0,
            }
        };
        Self {
            instances: [instance(), instance()],
            tasks: BTreeMap::new(),
            subtasks: BTreeMap::new(),
            pipes: BTreeMap::new(),
            sets: BTreeMap::new(),
            answers: HashMap::new(),
            given_to_host: HashMap::new(),
            resources: BTreeSet::new(),
            dropped: Vec::new(),
            stack: Vec::new(),
            trap: None,
            or_trap: None,
        }
    }

    fn task(&self, id: Name) -> &Task {
        &self.tasks[&id]
    }

    fn task_mut(&mut self, id: Name) -> &mut Task {
        self.tasks.get_mut(&id).expect("tasks are never removed")
    }

    fn subtask_mut(&mut self, id: Name) -> &mut Subtask {
        self.subtasks.get_mut(&id).expect("whoever names a subtask has it")
    }

    fn pipe(&self, name: Name) -> &Pipe {
        &self.pipes[&name]
    }

    fn pipe_mut(&mut self, name: Name) -> &mut Pipe {
        self.pipes.get_mut(&name).expect("pipes are never removed")
    }

    pub fn waitable(&self, target: Target) -> &Waitable {
        match target {
            Target::End { pipe, reads } => &self.pipe(pipe).end(reads).waitable,
            Target::Subtask(id) => &self.subtasks[&id].waitable,
        }
    }

    fn waitable_mut(&mut self, target: Target) -> &mut Waitable {
        match target {
            Target::End { pipe, reads } => &mut self.pipe_mut(pipe).end_mut(reads).waitable,
            Target::Subtask(id) => &mut self.subtask_mut(id).waitable,
        }
    }

    fn has_event(&self, target: Target) -> bool {
        self.waitable(target).event.is_some()
    }

    /// The waitables of a set.
    pub fn members(&self, set: Name) -> Vec<Target> {
        let all = self.instances.iter().flat_map(|instance| instance.table.entries());
        all.filter_map(|entry| match entry {
            Entry::Waitable(target) if self.waitable(target).set == Some(set) => Some(target),
            Entry::Waitable(_) | Entry::Set(_) | Entry::Own(_) => None,
        })
        .collect()
    }

    pub fn set_has_event(&self, set: Name) -> bool {
        self.members(set).into_iter().any(|target| self.has_event(target))
    }

    /// Delivers the event of a waitable: its code and two numbers.
    fn deliver(&mut self, target: Target) -> (u32, u32, u32) {
        let index = self.waitable(target).index;
        let event = self.waitable_mut(target).event.take();
        match (target, event) {
            (Target::Subtask(id), _) => {
                let subtask = self.subtask_mut(id);
                subtask.delivered |= subtask.state >= SubtaskState::Returned;
                (1, index, subtask.state as u32)
            }
            (Target::End { pipe, reads }, Some(Event::Copied { result, reclaims })) => {
                let (code, payload) = self.finish_copy(pipe, reads, result, reclaims);
                (code, index, payload)
            }
            (Target::End { .. }, _) => (0, index, 0),
        }
    }

    /// What a guest's memory comes to.
    pub fn hash(&self, instance: usize) -> u64 {
        guest::hash(&self.instances[instance].memory[..guest::MEMORY])
    }

    fn store(&mut self, instance: usize, address: usize, value: u32) {
        self.instances[instance].memory[address..address + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn load(&self, instance: usize, address: usize) -> u32 {
        let bytes = &self.instances[instance].memory[address..address + 4];
        bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
    }

    /// Where a call's result is put.
    fn out(id: Name) -> usize {
        OUT + 8 * (id as usize & (OUTS - 1))
    }

    /// Takes an end, as a case and a handle, from an instance.
    fn lift_end(&mut self, instance: usize, case: u32, index: u32) -> Result<Option<Name>, Trap> {
        let pipe = self.check_lift(instance, case, index)?;
        if pipe.is_some() {
            self.instances[instance].table.remove(index);
        }
        Ok(pipe)
    }

    /// The end that would be taken.
    fn check_lift(&self, instance: usize, case: u32, index: u32) -> Result<Option<Name>, Trap> {
        let Some(ty) = case.checked_sub(1) else { return Ok(None) };
        if ty as usize >= PIPES.len() {
            return Err("discriminant");
        }
        let Entry::Waitable(Target::End { pipe, reads: true }) =
            self.instances[instance].table.get(index)?
        else {
            return Err(WRONG_TYPE);
        };
        let found = self.pipe(pipe);
        let end = found.end(true);
        if found.ty != ty as usize {
            return Err(WRONG_TYPE);
        }
        match end.state {
            CopyState::Idle => {}
            CopyState::Done => return Err("cannot lift"),
            CopyState::SyncCopying | CopyState::AsyncCopying | CopyState::Cancelling => {
                return Err("cannot remove busy");
            }
        }
        if end.waitable.set.is_some() {
            return Err("cannot lift");
        }
        Ok(Some(pipe))
    }

    /// Gives a readable end to an instance: a case and a handle.
    fn lower_end(&mut self, instance: usize, pipe: Option<Name>) -> (u32, u32) {
        let Some(pipe) = pipe else { return (0, 0) };
        let index = self.add_end(instance, pipe, true);
        (self.pipe(pipe).ty as u32 + 1, index)
    }

    fn add_end(&mut self, instance: usize, pipe: Name, reads: bool) -> u32 {
        let entry = Entry::Waitable(Target::End { pipe, reads });
        let index = self.instances[instance].table.add(entry);
        let end = self.pipe_mut(pipe).end_mut(reads);
        end.owner = Owner::Guest(instance);
        end.state = CopyState::Idle;
        end.waitable = Waitable { index, ..Waitable::default() };
        index
    }

    /// Finds room as the guest's `realloc` does.
    fn realloc(&mut self, instance: usize, align: usize, size: usize) -> Result<usize, Trap> {
        let instance = &mut self.instances[instance];
        let at = instance.room.next_multiple_of(align);
        instance.room = at + size;
        if instance.room > guest::MEMORY {
            return Err("unreachable");
        }
        Ok(at)
    }

    /// Whether the host has an end, and nothing under way there.
    pub fn host_may_give(&self, pipe: Name) -> bool {
        self.pipes.get(&pipe).is_some_and(|found| {
            let end = found.end(true);
            end.owner == Owner::Host
                && end.state == CopyState::Idle
                && end.host_done.is_none()
                && found.pending != Some(true)
        })
    }
}

/// The element of a type of pipes.
pub fn element(ty: usize) -> Element {
    PIPES[ty].element
}
