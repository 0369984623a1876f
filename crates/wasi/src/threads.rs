//! Threads of a guest: `wasi.thread-spawn`.
//!
//! A thread of the guest is a thread of the host with a store of its own, in
//! which the same module is instantiated again. What they have in common is the
//! memory they import, and the WASI context. So the engine needs to know nothing
//! of threads, and a store is still used by one thread at a time.
//!
//! The guest ends as a whole: when the first thread is done, or when any thread
//! exits or traps. Then the others are stopped: those that wait, at once; those
//! that compute, at the next check of the engine's epochs, if it has
//! [`epoch_interruption`](zwasm::Config::epoch_interruption).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use zwasm::{Caller, Error, ExternType, Instance, Linker, Module, Result, SharedMemory, Store};

use crate::host::Host;
use crate::p1::Errno;
use crate::{Capabilities, InterruptHandle, WasiCtx};

/// The module and name under which the function is imported.
const SPAWN: (&str, &str) = ("wasi", "thread-spawn");

/// What a module exports to be called in each new thread.
const START: &str = "wasi_thread_start";

/// Threads of a guest that run at once, unless told otherwise.
const MAX_THREADS: usize = 256;

/// Bytes of stack of the host's thread. The guest's frames are elsewhere.
const HOST_STACK: usize = 512 << 10;

/// The number of the first thread, which the guest does not learn.
const FIRST: i32 = 0;

/// The longest it takes a thread that waits to wake up and end.
const WAKE_TIME: Duration = Duration::from_millis(100);

/// The largest number a thread may have.
const MAX_ID: i32 = 0x1fff_ffff;

/// A guest with threads: a module, its imports, and the threads that run it.
///
/// ```no_run
/// use zwasm::{Engine, Linker, Module, Store};
/// use zwasm_wasi::{Capabilities, Threads, WasiCtx};
///
/// # fn main() -> zwasm::Result<()> {
/// let engine = Engine::default();
/// let module = Module::from_file(&engine, "threads.wasm")?;
/// let mut linker: Linker<WasiCtx> = Linker::new(&engine);
/// zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx)?;
/// let ctx = WasiCtx::builder().caps(Capabilities::ALL).inherit_stdio().build();
/// let mut store = Store::new(&engine, ctx);
/// let threads = Threads::new(&mut store, linker, &module, |ctx| ctx)?;
/// threads.run(&mut store, |store, instance| {
///     instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call(store, ())
/// })
/// # }
/// ```
pub struct Threads<T>(Arc<Group<T>>);

struct Group<T> {
    module: Module,
    linker: Linker<T>,
    state: Mutex<State>,
    /// Told whenever a thread is done.
    done: Condvar,
    /// Stops what waits in calls of WASI.
    waits: InterruptHandle,
    on_end: OnceLock<OnEnd>,
}

type OnEnd = Box<dyn Fn(Error) -> Error + Send + Sync>;

#[derive(Default)]
struct State {
    max: usize,
    /// The threads that run, the first included, and what stops each.
    running: Vec<(i32, zwasm::InterruptHandle)>,
    /// Those that have been started and are not over, without the first.
    started: usize,
    last_id: i32,
    ended: bool,
    /// What ended the guest, unless that was the first thread.
    error: Option<Error>,
}

impl<T: Clone + Send + 'static> Threads<T> {
    /// Prepares a module for threads. `linker` has everything it imports besides
    /// the function to start threads and the shared memories, which are made
    /// here; `get` finds the context in a store's data.
    ///
    /// Each thread's store gets a clone of the data of the store that started it.
    /// Starting threads takes [`Capabilities::PROC`].
    ///
    /// # Errors
    ///
    /// When the linker has the function already, a memory can not be allocated,
    /// or the process has no descriptor left.
    pub fn new(
        store: &mut Store<T>,
        mut linker: Linker<T>,
        module: &Module,
        get: impl Fn(&mut T) -> &mut WasiCtx + Send + Sync + 'static,
    ) -> Result<Threads<T>> {
        for import in module.imports() {
            if let ExternType::Memory(ty) = import.ty()
                && ty.is_shared()
                && linker.get_by_import(&mut *store, &import).is_none()
            {
                let memory = SharedMemory::new(linker.engine(), ty)?;
                linker.define(&*store, import.module(), import.name(), memory)?;
            }
        }
        let waits = get(store.data_mut()).interrupt_handle()?;
        let mut failure = None;
        let group = Arc::new_cyclic(|group: &Weak<Group<T>>| {
            let group = group.clone();
            let spawn = move |mut caller: Caller<'_, T>, arg: i32| {
                let context = get(caller.data_mut()).clone();
                let allowed = context.0.host.require(Capabilities::PROC);
                let result = match (allowed, group.upgrade()) {
                    (Ok(()), Some(group)) => group.spawn(&mut caller, &context.0.host, arg),
                    (Ok(()), None) => Err(Errno::Again),
                    (Err(_), _) => Err(Errno::Notcapable),
                };
                result.unwrap_or_else(|errno| -(errno as i32))
            };
            failure = linker.func_wrap(SPAWN.0, SPAWN.1, spawn).err();
            let state = State { max: MAX_THREADS, ..State::default() };
            Group {
                module: module.clone(),
                linker,
                state: Mutex::new(state),
                done: Condvar::new(),
                waits,
                on_end: OnceLock::new(),
            }
        });
        failure.map_or(Ok(Threads(group)), Err)
    }

    /// Whether a module is made for threads: it starts them, or shares its memory
    /// with whoever does.
    pub fn wanted_by(module: &Module) -> bool {
        module.imports().any(|import| match import.ty() {
            ExternType::Memory(ty) => ty.is_shared(),
            _ => (import.module(), import.name()) == SPAWN,
        })
    }

    /// Sets how many threads may run at once besides the first; starting more
    /// fails in the guest with `AGAIN`. 256 unless set.
    pub fn max_threads(&self, max: usize) {
        self.0.lock().max = max;
    }

    /// Has `hook` called when a thread other than the first ends the guest, in
    /// that thread and before anything is stopped; what it returns is what
    /// [`run`](Self::run) fails with. A command that would end with the guest
    /// anyway can do so here, and need not wait for threads that compute.
    pub fn on_end(&self, hook: impl Fn(Error) -> Error + Send + Sync + 'static) {
        // The first one counts.
        let _ = self.0.on_end.set(Box::new(hook));
    }

    /// Instantiates the module in `store` and has `main` run it as the guest's
    /// first thread. When that is done the guest is, and its other threads are
    /// stopped.
    ///
    /// # Errors
    ///
    /// What the guest was ended by: by the first thread, or by another before it.
    pub fn run<R>(
        &self,
        store: &mut Store<T>,
        main: impl FnOnce(&mut Store<T>, Instance) -> Result<R>,
    ) -> Result<R> {
        let group = &self.0;
        group.enter(FIRST, store);
        let instance = group.linker.instantiate(&mut *store, &group.module);
        let outcome = instance.and_then(|instance| main(store, instance));
        let earlier = {
            let mut state = group.lock();
            state.running.retain(|(id, _)| *id != FIRST);
            state.ended = true;
            state.error.take()
        };
        group.stop();
        // What waits is awake by then, and the embedder may use the streams.
        self.join(WAKE_TIME);
        group.waits.clear();
        earlier.map_or(outcome, Err)
    }

    /// Waits until no thread is left but the first, at most for `patience`;
    /// whether that came to be.
    pub fn join(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut state = self.0.lock();
        while state.started > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.done.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl<T: Clone + Send + 'static> Group<T> {
    /// Starts a thread and returns its number. It gets half of the fuel that is
    /// left, so that all together use no more than the first was given.
    fn spawn(
        self: Arc<Self>,
        caller: &mut Caller<'_, T>,
        host: &Host,
        arg: i32,
    ) -> Result<i32, Errno> {
        let id = {
            let mut state = self.lock();
            if state.started >= state.max {
                host.reach(|| format!("more than {} threads at once", state.max));
            }
            if state.ended || state.started >= state.max || state.last_id == MAX_ID {
                return Err(Errno::Again);
            }
            state.started += 1;
            state.last_id += 1;
            state.last_id
        };
        // Gone when the thread is over, however it ends, and when it never starts.
        let started = Started(self, id);
        let thread = std::thread::Builder::new().name(format!("guest {id}")).stack_size(HOST_STACK);
        // What the threads have counts together.
        let store = Store::beside(caller, caller.data().clone());
        // Without fuel there is nothing to share.
        let fuel = caller.get_fuel().ok().map(|fuel| fuel / 2);
        let work = move || {
            if let Err(error) = started.0.thread(store, fuel, id, arg) {
                started.0.end(error);
            }
        };
        thread.spawn(work).or(Err(Errno::Again))?;
        if let (Some(given), Ok(fuel)) = (fuel, caller.get_fuel()) {
            caller.set_fuel(fuel - given).or(Err(Errno::Again))?;
        }
        Ok(id)
    }

    /// Runs a thread of the guest to its end.
    fn thread(&self, mut store: Store<T>, fuel: Option<u64>, id: i32, arg: i32) -> Result<()> {
        if let Some(fuel) = fuel {
            store.set_fuel(fuel)?;
        }
        self.enter(id, &store);
        let instance = self.linker.instantiate(&mut store, &self.module)?;
        let start = instance.get_typed_func::<(i32, i32), ()>(&mut store, START)?;
        start.call(&mut store, (id, arg))
    }
}

impl<T> Group<T> {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here leaves the state half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the guest because of one of its threads.
    fn end(&self, error: Error) {
        if std::mem::replace(&mut self.lock().ended, true) {
            return;
        }
        let error = match self.on_end.get() {
            Some(hook) => hook(error),
            None => error,
        };
        self.lock().error = Some(error);
        self.stop();
    }

    /// Notes what stops a thread, and stops it if the guest has ended meanwhile.
    fn enter(&self, id: i32, store: &Store<T>) {
        let handle = store.interrupt_handle();
        let mut state = self.lock();
        if state.ended && id != FIRST {
            handle.interrupt();
        }
        state.running.push((id, handle));
    }

    /// Stops all threads that run.
    fn stop(&self) {
        self.waits.interrupt();
        let running = self.lock().running.clone();
        running.iter().for_each(|(_, handle)| handle.interrupt());
    }
}

/// A thread that is counted.
struct Started<T>(Arc<Group<T>>, i32);

impl<T> Drop for Started<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.started -= 1;
        state.running.retain(|(id, _)| *id != self.1);
        self.0.done.notify_all();
    }
}
