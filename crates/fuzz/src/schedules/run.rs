//! Runs a program: guests ask for each operation, the host does its own between their
//! turns, and the model is told everything and says what is wrong.

use super::draw::Draw;
use super::ends::{self, End, Thing, Writer};
use super::guest;
use super::model::{Begun, Model, Owner, TaskState, Trap, Value};
use super::program::{HostOp, Kind, Line, Name, Op, PIPES, Program};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use zwasm::{Engine, Error, Feature, Result, Store, StoreContextMut};
use zwasm_component::{
    Call, Component, InstancePre, Linker, Loop, RawCall, Resource, ResourceType, TypedFunc,
    poll_until, set_loop,
};
use zwasm_wast::Mode;

/// Bytes that all memories of a case may take together.
const MEMORY: u64 = 256 << 20;

/// What a case needs beyond what is on anyway.
const FEATURES: [Feature; 4] = [
    Feature::ComponentAsync,
    Feature::ComponentAsyncStackful,
    Feature::ComponentMoreAsyncBuiltins,
    Feature::ComponentThreading,
];

/// Where operations come from.
pub enum Source {
    Draw(Box<Draw>),
    Program(Program),
}

/// What is known of a case that runs.
struct World {
    model: Model,
    source: Source,
    /// What was done.
    lines: Vec<Line>,
    /// Of everything that guests told.
    hash: DefaultHasher,
    told: u64,
    readers: HashMap<Name, End>,
    writers: HashMap<Name, Writer>,
    calls: HashMap<Name, Call<(End,)>>,
    /// Functions of the host that wait to be let go on.
    waiting: HashMap<Name, Waker>,
    /// The host itself.
    host: Option<Waker>,
    /// Whether no guest can go on.
    quiet: bool,
    /// The resources that guests have dropped.
    dropped: Vec<Name>,
    /// Whether the case is over, since something has trapped, and whether that was a guest.
    over: Option<bool>,
    /// The number of the next element that the host writes.
    value: u32,
    wrong: Option<String>,
}

type Shared = Arc<Mutex<World>>;

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a case went.
pub struct Outcome {
    /// What was done.
    pub lines: Vec<Line>,
    /// What everything that guests told hashes to, and how often they did.
    pub hash: u64,
    pub told: u64,
    /// The trap that it ended in, as it had to.
    pub trap: Option<Trap>,
    /// What is wrong about it.
    pub wrong: Option<String>,
}

impl World {
    /// Says that something is wrong, which ends the case.
    fn wrong(&mut self, what: String) -> Error {
        let error = Error::msg(what.clone());
        self.wrong.get_or_insert(what);
        error
    }

    /// The next operation of a task, as its guest gets it.
    fn step(&mut self, [id, what, b]: [u32; 3], a: u64, hash: u64) -> Result<u64> {
        if let Some(guest) = self.over {
            let what = format!("t{id} runs after what has trapped");
            return Err(if guest { self.wrong(what) } else { Error::msg(what) });
        }
        (id, what, a, b, hash).hash(&mut self.hash);
        self.told += 1;
        self.model.arrive(id, what, a, b, hash).map_err(|what| self.wrong(what))?;
        let (op, found) = loop {
            let op = match &mut self.source {
                Source::Draw(draw) => draw.op(&self.model, id),
                Source::Program(program) => {
                    program.tasks.get_mut(&id).and_then(std::collections::VecDeque::pop_front)
                }
            };
            let op = op.unwrap_or_else(|| self.last_op(id));
            if let Some(found) = self.model.find(id, op) {
                break (op, found);
            }
        };
        self.lines.push(Line::Task(id, op));
        if let Op::Call { id: callee, .. } = op
            && self.model.tasks[&id].instance == 0
        {
            if let Source::Draw(draw) = &mut self.source {
                let answer = draw.answer(&self.model);
                self.model.answers.insert(callee, answer);
            }
            if let Some(answer) = self.model.answers.get(&callee) {
                self.lines.push(Line::Answer(callee, *answer));
            }
        }
        self.model.perform(id, found);
        let at = found.func.map_or(0, guest::index);
        Ok(guest::packed(found.shape, at, found.numbers))
    }

    /// What a task does that has nothing more to do.
    fn last_op(&self, id: Name) -> Op {
        let task = &self.model.tasks[&id];
        if task.kind.lifted_async() && task.state != TaskState::Resolved {
            Op::Return(None)
        } else {
            Op::Exit(None)
        }
    }

    /// The next operation of the host that there can be now.
    fn host_op(&mut self) -> Option<HostOp> {
        loop {
            let op = match &mut self.source {
                Source::Draw(draw) => draw.host_op(&self.model),
                Source::Program(program) => program.host.pop_front(),
            }?;
            if self.may(op) {
                self.lines.push(Line::Host(op));
                return Some(op);
            }
        }
    }

    fn may(&self, op: HostOp) -> bool {
        let model = &self.model;
        match op {
            HostOp::Start { id, instance, kind, end } => {
                model.takes_calls(instance, kind)
                    && !model.tasks.contains_key(&id)
                    && !model.subtasks.contains_key(&id)
                    && end.is_none_or(|pipe| model.host_may_give(pipe))
            }
            HostOp::New { pipe, .. } => !model.pipes.contains_key(&pipe),
            HostOp::Copy { pipe, reads, .. } => model.host_has(pipe, reads),
            HostOp::Drop { pipe, reads } => {
                let found = model.pipes.get(&pipe);
                found.is_some_and(|pipe| pipe.end(reads).owner == Owner::Host)
            }
            HostOp::Finish(id) => {
                let found = model.subtasks.get(&id);
                found.is_some_and(|found| found.pends() && !found.finishing)
            }
            HostOp::Step | HostOp::Quiet => true,
        }
    }

    /// An end as the library has it.
    fn passed(&self, end: Option<Name>) -> End {
        let found = end.and_then(|pipe| self.readers.get(&pipe).copied());
        found.unwrap_or(End::Nothing)
    }

    /// The host got an end, which the model says is this pipe's.
    fn got(&mut self, end: End, pipe: Option<Name>) -> Result<()> {
        let case = pipe.map_or(0, |pipe| self.model.pipes[&pipe].ty + 1);
        if end.case() != case {
            return Err(self.wrong(format!("the host got {end:?}, not p{pipe:?}")));
        }
        if let Some(pipe) = pipe {
            self.readers.insert(pipe, end);
        }
        Ok(())
    }
}

/// Lets the host go on when no guest can.
struct Quiet(Shared);

impl Loop for Quiet {
    fn wait(&mut self) -> Result<bool> {
        let mut world = lock(&self.0);
        if world.over.is_some() {
            return Ok(false);
        }
        let quiet = world.model.quiet();
        quiet.map_err(|what| world.wrong(what))?;
        world.quiet = true;
        if let Some(host) = world.host.take() {
            host.wake();
        }
        Ok(true)
    }
}

/// A function of the host's is called.
fn called(mut store: StoreContextMut<'_, Shared>, call: &mut RawCall<'_>) -> Result<()> {
    let (id, end) = call.args::<(u32, End)>(&mut store)?;
    let shared = store.data().clone();
    let (begun, end) = {
        let mut world = lock(&shared);
        let Some((given, begun)) = world.model.given_to_host.get(&id).copied() else {
            return Err(world.wrong(format!("t{id} is called, which the host has no call of")));
        };
        world.got(end, given)?;
        match begun {
            Begun::Returns(end) => (begun, world.passed(end)),
            Begun::Pends => (begun, End::Nothing),
        }
    };
    if begun != Begun::Pends {
        return call.finish(&mut store, &(end,));
    }
    call.pend(move |mut store: StoreContextMut<'_, Shared>, call, cx| {
        let end = {
            let mut world = lock(&shared);
            if !world.model.subtasks.get(&id).is_some_and(|found| found.finishing) {
                world.waiting.insert(id, cx.waker().clone());
                return Poll::Pending;
            }
            let end = world.model.host_finished(id);
            world.passed(end)
        };
        Poll::Ready(call.finish(&mut store, &(end,)))
    });
    Ok(())
}

/// The component in one mode.
pub struct Runner {
    pub mode: Mode,
    engine: Engine,
    component: InstancePre<Shared>,
}

type Export = TypedFunc<(u32, End), (End,)>;

impl Runner {
    /// # Errors
    /// When the engine or the component cannot be made.
    pub fn new(mode: Mode, bytes: &[u8]) -> Result<Self> {
        let mut config = mode.config();
        config.max_total(MEMORY);
        for feature in FEATURES {
            config.wasm_feature(feature, true);
        }
        let engine = Engine::new(&config)?;
        let component = Component::from_binary(&engine, bytes)?;
        let mut linker: Linker<Shared> = Linker::new(&engine);
        let mut host = linker.instance("host")?;
        host.func_wrap(
            "step",
            |store: StoreContextMut<'_, Shared>,
             (id, what, a, b, hash): (u32, u32, u64, u32, u64)| {
                let shared = store.data().clone();
                let op = lock(&shared).step([id, what, b], a, hash)?;
                Ok((op,))
            },
        )?;
        host.resource("r", ResourceType::host::<Thing>(), |store, rep| {
            lock(store.data()).dropped.push(rep);
            Ok(())
        })?;
        host.func_wrap("make", |_: StoreContextMut<'_, Shared>, (rep,): (u32,)| {
            Ok((Resource::<Thing>::new_own(rep),))
        })?;
        for kind in Kind::ALL {
            host.func_raw::<(u32, End), (End,)>(kind.name(), called)?;
        }
        let component = linker.instantiate_pre(&component)?;
        Ok(Self { mode, engine, component })
    }

    /// Runs a case.
    pub fn run(&self, source: Source) -> Outcome {
        let mut model = Model::new();
        if let Source::Program(program) = &source {
            model.answers.clone_from(&program.answers);
        }
        let world: Shared = Arc::new(Mutex::new(World {
            model,
            source,
            lines: Vec::new(),
            hash: DefaultHasher::new(),
            told: 0,
            readers: HashMap::new(),
            writers: HashMap::new(),
            calls: HashMap::new(),
            waiting: HashMap::new(),
            host: None,
            quiet: false,
            dropped: Vec::new(),
            over: None,
            value: 0,
            wrong: None,
        }));
        let ended = self.drive(&world);
        let mut world = lock(&world);
        let mut trap = None;
        let wrong = world.wrong.take().or_else(|| match ended {
            Ok(()) => match world.model.trap {
                Some(trap) => Some(format!("it has to trap: {trap}")),
                None => (world.dropped != world.model.dropped).then(|| {
                    let (dropped, expected) = (&world.dropped, &world.model.dropped);
                    format!("guests have dropped {dropped:?}, not {expected:?}")
                }),
            },
            Err(error) => {
                let said = error.summary();
                let traps: Vec<Trap> = world.model.may_trap();
                trap = traps.iter().find(|trap| said.contains(**trap)).copied();
                trap.is_none().then(|| match traps.first() {
                    Some(trap) => format!("it has to trap: {trap}, but says: {said}"),
                    None => format!("unexpected: {said}"),
                })
            }
        });
        Outcome {
            lines: std::mem::take(&mut world.lines),
            hash: world.hash.finish(),
            told: world.told,
            trap,
            wrong,
        }
    }

    fn drive(&self, world: &Shared) -> Result<()> {
        let mut store: Store<Shared> = Store::new(&self.engine, world.clone());
        let instance = self.component.instantiate(&mut store)?;
        let mut exports: HashMap<(usize, &str), Export> = HashMap::new();
        for (at, name) in ["a", "b"].into_iter().enumerate() {
            for kind in Kind::ALL {
                let kind = kind.name();
                let export = instance.get_typed_func(&mut store, format!("{name}-{kind}"))?;
                exports.insert((at, kind), export);
            }
        }
        set_loop(&mut store, Quiet(world.clone()));
        let ended = poll_until(&mut store, |mut store, cx| {
            lock(world).host = Some(cx.waker().clone());
            match host(world, &mut store, &exports, cx) {
                Ok(true) => Poll::Ready(Ok(())),
                Ok(false) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            }
        });
        if ended.is_err() {
            lock(world).over.get_or_insert(true);
            after_trap(world, &mut store, &exports);
        }
        ended
    }
}

/// Does all that the host could still do: whatever comes of it, no guest that has trapped
/// runs again.
fn after_trap(world: &Shared, store: &mut Store<Shared>, exports: &HashMap<(usize, &str), Export>) {
    let (calls, readers, writers) = {
        let mut world = lock(world);
        let World { calls, readers, writers, waiting, .. } = &mut *world;
        waiting.drain().for_each(|(_, waker)| waker.wake());
        (std::mem::take(calls), std::mem::take(readers), std::mem::take(writers))
    };
    let cx = &mut Context::from_waker(Waker::noop());
    for export in exports.values() {
        let _ = export.start(&mut *store, (0, End::Nothing));
    }
    for writer in writers.into_values() {
        let _ = writer.write(&mut *store, cx, &[]);
        let _ = writer.close(&mut *store);
    }
    for reader in readers.into_values() {
        let _ = reader.read(&mut *store, cx, 3);
        let _ = reader.close(&mut *store);
    }
    for mut call in calls.into_values() {
        let _ = call.poll(&mut *store, cx);
    }
}

/// The host does what it has to do now; tells whether that was all.
fn host(
    world: &Shared,
    store: &mut StoreContextMut<'_, Shared>,
    exports: &HashMap<(usize, &str), Export>,
    cx: &mut Context<'_>,
) -> Result<bool> {
    loop {
        {
            let mut world = lock(world);
            let settled = world.model.settle();
            settled.map_err(|what| world.wrong(what))?;
            if let Some(trap) = world.model.trap {
                return Err(world.wrong(format!("it has to trap, but goes on: {trap}")));
            }
        }
        take_results(world, store)?;
        let op = {
            let mut world = lock(world);
            let Some(op) = world.host_op() else { return Ok(world.quiet) };
            if op != HostOp::Quiet {
                world.quiet = false;
            }
            op
        };
        match op {
            HostOp::Quiet if lock(world).quiet => {}
            HostOp::Quiet => return Ok(false),
            HostOp::Step => {
                cx.waker().wake_by_ref();
                return Ok(false);
            }
            HostOp::Finish(id) => {
                let mut world = lock(world);
                world.model.host_lets_go_on(id);
                if let Some(waker) = world.waiting.remove(&id) {
                    waker.wake();
                }
            }
            HostOp::Start { id, instance, kind, end } => {
                let end = {
                    let mut world = lock(world);
                    let passed = world.passed(end);
                    // What the host gives is always there.
                    let begun = world.model.host_start(id, instance, kind, end);
                    begun.map_err(|trap| world.wrong(trap.into()))?;
                    passed
                };
                let call = exports[&(instance, kind.name())].start(&mut *store, (id, end))?;
                lock(world).calls.insert(id, call);
            }
            HostOp::New { ty, pipe } => {
                let (writer, reader) = ends::pipe(&mut *store, ty)?;
                let mut world = lock(world);
                world.model.add_pipe(ty, pipe, Owner::Host);
                world.readers.insert(pipe, reader);
                world.writers.insert(pipe, writer);
            }
            HostOp::Copy { pipe, reads, length } => copy(world, store, (pipe, reads, length))?,
            HostOp::Drop { pipe, reads } => {
                let (reader, writer) = {
                    let mut world = lock(world);
                    world.model.host_drop(pipe, reads);
                    (world.readers.get(&pipe).copied(), world.writers.get(&pipe).copied())
                };
                match (reads, reader, writer) {
                    (true, Some(reader), _) => reader.close(&mut *store)?,
                    (false, _, Some(writer)) => writer.close(&mut *store)?,
                    _ => return Err(lock(world).wrong(format!("the host has no p{pipe}"))),
                }
            }
        }
    }
}

/// Asks for the results of all calls of the host's.
fn take_results(world: &Shared, store: &mut StoreContextMut<'_, Shared>) -> Result<()> {
    let mut calls = std::mem::take(&mut lock(world).calls);
    let mut ids: Vec<Name> = calls.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let Some(mut call) = calls.remove(&id) else { continue };
        // The schedule does not depend on who has a result.
        let asked = call.poll(&mut *store, &mut Context::from_waker(Waker::noop()));
        let mut world = lock(world);
        match (world.model.tasks[&id].result, asked) {
            (None, Poll::Pending) => {
                world.calls.insert(id, call);
            }
            (Some(Some(end)), Poll::Ready(Ok((got,)))) => {
                world.model.host_takes(end);
                world.got(got, end)?;
            }
            (expected, asked) => {
                let asked = asked.map_ok(|(end,)| end);
                return Err(world.wrong(format!("t{id} gives {asked:?}, not {expected:?}")));
            }
        }
    }
    Ok(())
}

/// The host reads or writes, or asks for what it has begun.
fn copy(
    world: &Shared,
    store: &mut StoreContextMut<'_, Shared>,
    (pipe, reads, length): (Name, bool, u32),
) -> Result<()> {
    let (expected, values, reader, writer) = {
        let mut world = lock(world);
        let ty = world.model.pipes[&pipe].ty;
        let count = if PIPES[ty].future { 1 } else { length };
        let begins = !world.model.host_copies(pipe, reads);
        let values: Vec<Value> = match begins && !reads {
            true => (0..count).map(|at| ends::value(ty, world.value + at)).collect(),
            false => Vec::new(),
        };
        world.value += values.len() as u32;
        let expected = world.model.host_copy(pipe, reads, count, values.clone());
        let (reader, writer) = (world.readers.get(&pipe), world.writers.get(&pipe));
        (expected, values, reader.copied(), writer.copied())
    };
    let cx = &mut Context::from_waker(Waker::noop());
    let copied = match (reads, reader, writer) {
        (true, Some(reader), _) => reader.read(&mut *store, cx, length as usize),
        (false, _, Some(writer)) => writer.write(&mut *store, cx, &values),
        _ => return Err(lock(world).wrong(format!("the host has no p{pipe}"))),
    };
    let expected = match expected {
        Ok(expected) => expected,
        Err(trap) => {
            let mut world = lock(world);
            world.model.trap = Some(trap);
            world.over = Some(false);
            return match copied {
                Ok(_) => Err(world.wrong(format!("it has to trap: {trap}"))),
                Err(error) => Err(error),
            };
        }
    };
    let copied = copied?;
    if copied != expected {
        let what = format!("the host's copy of p{pipe} gives {copied:?}, not {expected:?}");
        return Err(lock(world).wrong(what));
    }
    Ok(())
}
