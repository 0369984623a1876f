//! How an interface is declared, and how its functions are called.
//!
//! An interface is a table of rows: a name, and a plain Rust function over a view of the
//! guest's state. What moves the arguments and the result is compiled once per
//! signature, and knows of the store no more than [`Store`] says: for each type of data
//! that stores have, there is one loop over the rows and one thunk for all of them.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use zwasm::{AsContextMut, Error, Result, StoreContextMut, Trap};
use zwasm_component::{
    AnyStore, Check, ComponentNamedList, ComponentType, Lift, Linker, Lower, RawCall, Resource,
    ResourceTableError, ResourceType,
};

use super::io::poll::{self, Source};
#[cfg(feature = "async")]
use super::io::watch::Wait;
use super::{WasiCtxView, WasiView};
use crate::host::{self, Failure};

/// A store, whatever its data.
pub(crate) trait Store: Send {
    /// What moving values needs.
    fn access(&mut self) -> &mut dyn AnyStore;
    /// The guest's state.
    fn view(&mut self) -> WasiCtxView<'_>;
    /// Begins work that goes on while guests wait.
    fn spawn(&mut self, work: Work) -> Result<()>;
    /// Has the result of a call come later.
    fn pend(&mut self, call: &mut RawCall<'_>, poll: Later);
    /// Waits until at least one of the sources is ready, and tells of each whether it is.
    fn wait(&mut self, sources: &[Arc<dyn Source>]) -> Waited;
}

/// What comes of waiting: at once, if the thread has waited, or later.
pub(crate) enum Waited {
    /// The thread has.
    Done(Option<host::Result<Vec<bool>>>),
    /// A future does.
    #[cfg(feature = "async")]
    Later(Wait),
}

impl Future for Waited {
    type Output = host::Result<Vec<bool>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        #[cfg(not(feature = "async"))]
        let _ = context;
        match &mut *self {
            Waited::Done(outcome) => outcome.take().map_or(Poll::Pending, Poll::Ready),
            #[cfg(feature = "async")]
            Waited::Later(wait) => Pin::new(wait).poll(context),
        }
    }
}

/// Work of the host: asked again whenever it was woken, until it is ready.
pub(crate) type Work =
    Box<dyn FnMut(&mut dyn Store, &mut Context<'_>) -> Poll<Result<()>> + Send + Sync>;

/// A call whose result comes later, likewise.
pub(crate) type Later = Box<
    dyn FnMut(&mut dyn Store, &mut RawCall<'_>, &mut Context<'_>) -> Poll<Result<()>> + Send + Sync,
>;

/// The store of a guest that has called, whose functions wait in its thread, or in `FUTURES`.
pub(crate) struct Caller<'a, T: 'static, const FUTURES: bool = false>(StoreContextMut<'a, T>);

impl<'a, T: WasiView + 'static> Caller<'a, T> {
    /// The store of one that waits in its thread.
    pub(crate) fn new(store: StoreContextMut<'a, T>) -> Caller<'a, T> {
        Caller(store)
    }
}

impl<T: WasiView + 'static, const FUTURES: bool> Store for Caller<'_, T, FUTURES> {
    fn access(&mut self) -> &mut dyn AnyStore {
        &mut self.0
    }

    fn view(&mut self) -> WasiCtxView<'_> {
        self.0.data_mut().ctx()
    }

    fn spawn(&mut self, mut work: Work) -> Result<()> {
        self.install_loop();
        zwasm_component::spawn(self.0.as_context_mut(), move |store, cx| {
            work(&mut Caller::<T, FUTURES>(store), cx)
        })
    }

    fn pend(&mut self, call: &mut RawCall<'_>, mut poll: Later) {
        self.install_loop();
        call.pend(move |store: StoreContextMut<'_, T>, call, cx| {
            poll(&mut Caller::<T, FUTURES>(store), call, cx)
        });
    }

    fn wait(&mut self, sources: &[Arc<dyn Source>]) -> Waited {
        let ctx = self.view().ctx;
        #[cfg(feature = "async")]
        if FUTURES {
            // A prompt must be seen before its answer is waited for.
            let _ = ctx.0.stdio.flush(&ctx.0.host);
            return Waited::Later(Wait::new(ctx.clone(), sources));
        }
        let sources: Vec<_> = sources.iter().map(|source| &**source).collect();
        Waited::Done(Some(poll::wait(&ctx.0, &sources)))
    }
}

impl<T: WasiView + 'static, const FUTURES: bool> Caller<'_, T, FUTURES> {
    /// Has the store wait as the guest's state says, from the first time on that something
    /// is waited for.
    pub(crate) fn install_loop(&mut self) {
        if !std::mem::replace(&mut self.0.attachment::<LoopInstalled>().0, true) {
            let looper = crate::p3::reactor::Looper::new(self.view().ctx.clone());
            zwasm_component::set_loop(self.0.as_context_mut(), looper);
        }
    }
}

/// Whether a store waits with this crate's loop.
#[derive(Default)]
struct LoopInstalled(bool);

/// Why a function does not give what it is asked for.
pub(crate) enum Failed<E> {
    /// The guest gets this.
    With(E),
    /// The guest does not get control back.
    Stop(Error),
}

/// What a function returns.
pub(crate) type Answer<T, E> = std::result::Result<T, Failed<E>>;

/// The errors of an interface, of which some stand for what the host layer says.
pub(crate) trait Code {
    /// That the guest has not the capability.
    fn refused() -> Self;
    /// What the system says.
    fn system(error: io::Error) -> Self;
}

impl<E: Code> From<Failure> for Failed<E> {
    fn from(failure: Failure) -> Failed<E> {
        match failure {
            Failure::Refused => Failed::With(E::refused()),
            Failure::Interrupted => Failed::Stop(Trap::Interrupt.into()),
            Failure::System(error) => Failed::With(E::system(error)),
        }
    }
}

impl<E> From<Error> for Failed<E> {
    fn from(error: Error) -> Failed<E> {
        Failed::Stop(error)
    }
}

impl<E> From<ResourceTableError> for Failed<E> {
    fn from(error: ResourceTableError) -> Failed<E> {
        Failed::Stop(error.into())
    }
}

/// The error of a function that has no other way to say that it was refused something.
#[cold]
pub(crate) fn stop(failure: Failure, wanted: &str) -> Error {
    match failure {
        Failure::Refused => Error::msg(format!("the program wants to {wanted}, which it may not")),
        Failure::Interrupted => Trap::Interrupt.into(),
        Failure::System(error) => error.into(),
    }
}

/// What functions return: a list of results, or the one `result` of a function that has
/// errors of its own.
pub(crate) trait Outcome {
    /// What the guest gets.
    type List: ComponentNamedList + Lower + 'static;
    /// What the guest gets, unless it stops; and how that went.
    fn settle(self) -> Result<(Self::List, bool)>;
}

impl<R: ComponentNamedList + Lower + 'static> Outcome for Result<R> {
    type List = R;

    fn settle(self) -> Result<(R, bool)> {
        Ok((self?, true))
    }
}

impl<T, E> Outcome for Answer<T, E>
where
    (std::result::Result<T, E>,): ComponentNamedList + Lower + 'static,
{
    type List = (std::result::Result<T, E>,);

    fn settle(self) -> Result<(Self::List, bool)> {
        match self {
            Ok(value) => Ok(((Ok(value),), true)),
            Err(Failed::With(error)) => Ok(((Err(error),), false)),
            Err(Failed::Stop(error)) => Err(error),
        }
    }
}

/// A Rust function that is one of an interface.
pub(crate) type Function<A, O> = fn(&mut WasiCtxView<'_>, A) -> O;

/// A call of such a function, whatever its signature; and whether it succeeded.
pub(crate) type Call = fn(&mut dyn Store, &mut RawCall<'_>) -> Result<bool>;

/// A future, whatever its type.
pub(crate) type Boxed<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// Such a call as a future.
pub(crate) type FutureCall =
    for<'a> fn(&'a mut dyn Store, &'a mut RawCall<'_>) -> Boxed<'a, Result<bool>>;

/// A function of an interface.
pub(crate) struct Row {
    name: &'static str,
    params: Check,
    results: Check,
    call: Call,
    /// How it is called where waiting is for futures, if it waits.
    #[cfg_attr(not(feature = "async"), expect(dead_code, reason = "there are no futures"))]
    future: Option<FutureCall>,
}

impl Row {
    /// One whose `call` invokes the function.
    pub(crate) const fn new<A, O>(name: &'static str, call: Call, _: Function<A, O>) -> Row
    where
        A: ComponentNamedList,
        O: Outcome,
    {
        Row::typed::<A, O>(name, call)
    }

    /// One that may wait, in either way.
    pub(crate) const fn waits<A, O>(
        name: &'static str,
        call: Call,
        future: FutureCall,
        _: for<'a> fn(&'a mut dyn Store, A) -> Boxed<'a, O>,
    ) -> Row
    where
        A: ComponentNamedList,
        O: Outcome,
    {
        Row { future: Some(future), ..Row::typed::<A, O>(name, call) }
    }

    /// One of which only the types of arguments and results are known.
    pub(crate) const fn typed<A, O>(name: &'static str, call: Call) -> Row
    where
        A: ComponentNamedList,
        O: Outcome,
    {
        let (params, results): (Check, Check) = (A::typecheck, O::List::typecheck);
        Row { name, params, results, call, future: None }
    }
}

/// What becomes of a resource when the guest drops it.
pub(crate) type Drop<R> = fn(&mut WasiCtxView<'_>, R) -> Result<()>;

/// Nothing more than that.
pub(crate) fn just_drop<R>(_: &mut WasiCtxView<'_>, _: R) -> Result<()> {
    Ok(())
}

/// A resource of an interface.
pub(crate) struct ResourceRow {
    name: &'static str,
    ty: fn() -> ResourceType,
    discard: fn(&mut dyn Store, u32) -> Result<()>,
    /// The same as a future, if it may wait.
    #[cfg_attr(not(feature = "async"), expect(dead_code, reason = "there are no futures"))]
    future: Option<FutureDiscard>,
}

/// What gets rid of a resource, as a future.
pub(crate) type FutureDiscard = for<'a> fn(&'a mut dyn Store, u32) -> Boxed<'a, Result<()>>;

impl ResourceRow {
    /// One whose values in the table are of a type, with what gets rid of one.
    pub(crate) const fn new<R: Send + 'static>(
        name: &'static str,
        discard: fn(&mut dyn Store, u32) -> Result<()>,
    ) -> ResourceRow {
        ResourceRow { name, ty: ResourceType::host::<R>, discard, future: None }
    }

    /// One whose end may have to be waited for, in either way.
    pub(crate) const fn waits<R: Send + 'static>(
        name: &'static str,
        discard: fn(&mut dyn Store, u32) -> Result<()>,
        future: FutureDiscard,
    ) -> ResourceRow {
        ResourceRow { future: Some(future), ..ResourceRow::new::<R>(name, discard) }
    }
}

/// Gets rid of a resource.
pub(crate) fn discard<R: Send + 'static>(
    store: &mut dyn Store,
    rep: u32,
    drop: Drop<R>,
) -> Result<()> {
    let mut cx = store.view();
    let value = cx.table.delete(Resource::<R>::new_own(rep))?;
    drop(&mut cx, value)
}

/// An interface.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) resources: &'static [ResourceRow],
    pub(crate) functions: &'static [Row],
}

impl Table {
    /// Defines the interface; its functions wait in their thread.
    pub(crate) fn define<T: WasiView + 'static>(
        &'static self,
        linker: &mut Linker<T>,
    ) -> Result<()> {
        let mut instance = linker.instance(self.name)?;
        for row in self.resources {
            instance.resource(row.name, (row.ty)(), |store, rep| {
                (row.discard)(&mut Caller::new(store), rep)
            })?;
        }
        for row in self.functions {
            instance.func_checked(row.name, row.params, row.results, |store, call| {
                run(&mut Caller::new(store), call, row, self)
            })?;
        }
        Ok(())
    }

    /// Defines the interface; its functions are futures where they wait.
    #[cfg(feature = "async")]
    fn define_futures<T: WasiView + 'static>(&'static self, linker: &mut Linker<T>) -> Result<()> {
        let mut instance = linker.instance(self.name)?;
        for row in self.resources {
            match row.future {
                None => instance.resource(row.name, (row.ty)(), |store, rep| {
                    (row.discard)(&mut Caller::<T, true>(store), rep)
                })?,
                Some(discard) => {
                    instance.resource_async(row.name, (row.ty)(), move |store, rep| {
                        Box::new(async move { discard(&mut Caller::<T, true>(store), rep).await })
                    })?;
                }
            }
        }
        for row in self.functions {
            let (name, params, results) = (row.name, row.params, row.results);
            match row.future {
                None => instance.func_checked(name, params, results, |store, call| {
                    run(&mut Caller::<T, true>(store), call, row, self)
                })?,
                Some(future) => {
                    instance.func_checked_async(name, params, results, move |store, call| {
                        Box::new(async move {
                            let store = &mut Caller::<T, true>(store);
                            let outcome = future(store, call).await;
                            told(store, row, self, outcome)
                        })
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// Where an interface is defined.
pub(crate) trait Target {
    /// Defines it.
    fn define(&mut self, table: &'static Table) -> Result<()>;
}

impl<T: WasiView + 'static> Target for Linker<T> {
    fn define(&mut self, table: &'static Table) -> Result<()> {
        table.define(self)
    }
}

/// A linker whose functions are futures where they wait.
#[cfg(feature = "async")]
pub(crate) struct Futures<'a, T: 'static>(pub(crate) &'a mut Linker<T>);

#[cfg(feature = "async")]
impl<T: WasiView + 'static> Target for Futures<'_, T> {
    fn define(&mut self, table: &'static Table) -> Result<()> {
        table.define_futures(self.0)
    }
}

/// What comes of a future that waits for nothing but what the thread has waited for.
pub(crate) fn now<R>(future: impl Future<Output = R>) -> Result<R> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Ok(result),
        Poll::Pending => Err(Error::msg("a function that waits in its thread is pending")),
    }
}

/// Gives the guest what a function returns, and tells whether it succeeded.
pub(crate) fn give(
    store: &mut dyn Store,
    call: &mut RawCall<'_>,
    outcome: impl Outcome,
) -> Result<bool> {
    let (result, success) = outcome.settle()?;
    call.finish(store.access(), &result)?;
    Ok(success)
}

/// Calls a function of an interface for a guest, and tells whether it succeeded.
pub(crate) fn invoke<A, O>(
    store: &mut dyn Store,
    call: &mut RawCall<'_>,
    function: Function<A, O>,
) -> Result<bool>
where
    A: ComponentNamedList + Lift,
    O: Outcome,
{
    let args = call.args::<A>(store.access())?;
    let outcome = function(&mut store.view(), args);
    give(store, call, outcome)
}

/// Calls a function of an interface for a guest, whatever its signature.
fn run(store: &mut dyn Store, call: &mut RawCall<'_>, row: &Row, table: &Table) -> Result<()> {
    let outcome = (row.call)(store, call);
    told(store, row, table, outcome)
}

/// Has who wants to know told of a call.
fn told(store: &mut dyn Store, row: &Row, table: &Table, outcome: Result<bool>) -> Result<()> {
    match outcome {
        Ok(success) => {
            trace(&store.view(), row, table, if success { "ok" } else { "error" });
            Ok(())
        }
        Err(error) => Err(stopped(store, row, table, error)),
    }
}

/// What is done when the guest does not get control back.
#[cold]
fn stopped(store: &mut dyn Store, row: &Row, table: &Table, error: Error) -> Error {
    let view = store.view();
    trace(&view, row, table, "stops");
    // What can not be written stays for the embedder's own flush.
    let _ = view.ctx.0.stdio.flush(&view.ctx.0.host);
    error
}

/// Has a line written about a call: `wasi:cli/stdin.get-stdin = ok`.
fn trace(view: &WasiCtxView<'_>, row: &Row, table: &Table, outcome: &str) {
    if let Some(trace) = &view.ctx.0.trace {
        let (interface, _) = table.name.split_once('@').unwrap_or((table.name, ""));
        trace(&format!("{interface}.{} = {outcome}", row.name));
    }
}

/// Declares an interface as a function that defines it in a linker: its resources, each
/// with the Rust type of the values in the table and perhaps a function that gets rid of
/// one, and its functions, each with the names of its parameters and the Rust function it
/// is. One that is marked so `waits`: it is asynchronous and over a store, and so is what
/// a resource is `closed by`.
macro_rules! interface {
    (
        $(#[$doc:meta])*
        fn $define:ident = $name:literal {
            $(resource $resource:literal: $ty:ty $(, dropped by $drop:path)? $(, closed by $close:path)?;)*
            $($func:literal $(as $kind:ident)? = $function:ident($($arg:ident),*);)*
        }
    ) => {
        $(#[$doc])*
        pub(crate) fn $define(linker: &mut dyn $crate::p2::table::Target) -> zwasm::Result<()> {
            static TABLE: $crate::p2::table::Table = $crate::p2::table::Table {
                name: $name,
                resources: &[$($crate::p2::table::resource!(
                    $resource: $ty $(, dropped by $drop)? $(, closed by $close)?
                ),)*],
                functions: &[$($crate::p2::table::row!(
                    $($kind)? $func = $function($($arg),*)
                ),)*],
            };
            linker.define(&TABLE)
        }
    };
}

/// A resource of it.
macro_rules! resource {
    ($resource:literal: $ty:ty, closed by $close:path) => {
        $crate::p2::table::ResourceRow::waits::<$ty>(
            $resource,
            |store, rep| {
                let value = zwasm_component::Resource::<$ty>::new_own(rep);
                let value = store.view().table.delete(value)?;
                $crate::p2::table::now($close(store, value))?
            },
            |store, rep| {
                Box::pin(async move {
                    let value = zwasm_component::Resource::<$ty>::new_own(rep);
                    let value = store.view().table.delete(value)?;
                    $close(store, value).await
                })
            },
        )
    };
    ($resource:literal: $ty:ty $(, dropped by $drop:path)?) => {
        $crate::p2::table::ResourceRow::new::<$ty>($resource, |store, rep| {
            let drops: [$crate::p2::table::Drop<$ty>; _] =
                [$($drop,)? $crate::p2::table::just_drop];
            $crate::p2::table::discard(store, rep, drops[0])
        })
    };
}

/// A function of it.
macro_rules! row {
    ($func:literal = $function:ident($($arg:ident),*)) => {
        $crate::p2::table::Row::new(
            $func,
            |store, call| {
                $crate::p2::table::invoke(store, call, |cx, ($($arg,)*)| {
                    $function(cx $(, $arg)*)
                })
            },
            |cx, ($($arg,)*)| $function(cx $(, $arg)*),
        )
    };
    (waits $func:literal = $function:ident($($arg:ident),*)) => {
        $crate::p2::table::Row::waits(
            $func,
            |store, call| {
                let ($($arg,)*) = call.args(store.access())?;
                let outcome = $crate::p2::table::now($function(store $(, $arg)*))?;
                $crate::p2::table::give(store, call, outcome)
            },
            |store, call| {
                Box::pin(async move {
                    let ($($arg,)*) = call.args(store.access())?;
                    let outcome = $function(store $(, $arg)*).await;
                    $crate::p2::table::give(store, call, outcome)
                })
            },
            |store, ($($arg,)*)| Box::pin($function(store $(, $arg)*)),
        )
    };
}
pub(crate) use {interface, resource, row};
