//! Functions that wait or use streams, as rows of tables.
//!
//! The rows are those of 0.2's tables, of two kinds more: functions `over` a store, which
//! can make streams and begin work, and functions that `wait`, which give something to ask
//! for the result.

use std::task::{Context, Poll};

use zwasm::Result;
use zwasm_component::{ComponentNamedList, Lift, RawCall, Resource};

pub(crate) use crate::p2::table::{Outcome, Store, give};

/// Asked for the result whenever it was woken, until it is there.
pub(crate) type Poller<O> =
    Box<dyn FnMut(&mut dyn Store, &mut Context<'_>) -> Poll<O> + Send + Sync>;

/// Calls a function over a store for a guest, and tells whether it succeeded.
pub(crate) fn invoke_over<A, O>(
    store: &mut dyn Store,
    call: &mut RawCall<'_>,
    function: fn(&mut dyn Store, A) -> O,
) -> Result<bool>
where
    A: ComponentNamedList + Lift,
    O: Outcome,
{
    let args = call.args::<A>(store.access())?;
    let outcome = function(store, args);
    give(store, call, outcome)
}

/// Begins a call of a function that waits.
pub(crate) fn invoke_wait<A, O>(
    store: &mut dyn Store,
    call: &mut RawCall<'_>,
    function: fn(&mut dyn Store, A) -> Result<Poller<O>>,
) -> Result<bool>
where
    A: ComponentNamedList + Lift,
    O: Outcome + 'static,
{
    let args = call.args::<A>(store.access())?;
    let mut poller = function(store, args)?;
    store.pend(
        call,
        Box::new(move |store, call, cx| {
            poller(store, cx).map(|outcome| {
                let (result, _) = outcome.settle()?;
                call.finish(store.access(), &result)
            })
        }),
    );
    Ok(true)
}

/// What becomes of a resource when the guest drops it.
pub(crate) type Close<R> = fn(&mut dyn Store, R) -> Result<()>;

/// Nothing more than that.
pub(crate) fn just_close<R>(_: &mut dyn Store, _: R) -> Result<()> {
    Ok(())
}

/// Gets rid of a resource.
pub(crate) fn discard<R: Send + 'static>(
    store: &mut dyn Store,
    rep: u32,
    close: Close<R>,
) -> Result<()> {
    let value = store.view().table.delete(Resource::<R>::new_own(rep))?;
    close(store, value)
}

/// The row of a function over a store.
pub(crate) const fn over<A, O>(
    name: &'static str,
    call: crate::p2::table::Call,
    _: fn(&mut dyn Store, A) -> O,
) -> crate::p2::table::Row
where
    A: ComponentNamedList,
    O: Outcome,
{
    crate::p2::table::Row::typed::<A, O>(name, call)
}

/// The row of a function that waits.
pub(crate) const fn wait<A, O>(
    name: &'static str,
    call: crate::p2::table::Call,
    _: fn(&mut dyn Store, A) -> Result<Poller<O>>,
) -> crate::p2::table::Row
where
    A: ComponentNamedList,
    O: Outcome,
{
    crate::p2::table::Row::typed::<A, O>(name, call)
}

/// Declares an interface as 0.2's `interface!` does; a function may be one `over` a store,
/// one that `wait`s, or be `adapted` by a function that is in scope as `adapt`.
macro_rules! interface {
    (
        $(#[$doc:meta])*
        fn $define:ident = $name:literal {
            $(resource $resource:literal: $ty:ty $(, closed by $close:path)?;)*
            $($func:literal $(as $kind:ident)? = $function:ident($($arg:ident),*);)*
        }
    ) => {
        $(#[$doc])*
        pub(crate) fn $define(linker: &mut dyn $crate::p2::table::Target) -> zwasm::Result<()> {
            static TABLE: $crate::p2::table::Table = $crate::p2::table::Table {
                name: $name,
                resources: &[$($crate::p2::table::ResourceRow::new::<$ty>($resource, |store, rep| {
                    let closes: [$crate::p3::table::Close<$ty>; _] =
                        [$($close,)? $crate::p3::table::just_close];
                    $crate::p3::table::discard(store, rep, closes[0])
                }),)*],
                functions: &[$(
                    $crate::p3::table::row!($($kind)? $func = $function($($arg),*)),
                )*],
            };
            linker.define(&TABLE)
        }
    };
}

/// One row of it.
macro_rules! row {
    ($func:literal = $function:ident($($arg:ident),*)) => {
        $crate::p2::table::row!($func = $function($($arg),*))
    };
    (adapted $func:literal = $function:ident($($arg:ident),*)) => {
        $crate::p2::table::Row::new(
            $func,
            |store, call| {
                $crate::p2::table::invoke(store, call, |cx, ($($arg,)*)| {
                    adapt($function(cx $(, $arg)*))
                })
            },
            |cx, ($($arg,)*)| adapt($function(cx $(, $arg)*)),
        )
    };
    (over $func:literal = $function:ident($($arg:ident),*)) => {
        $crate::p3::table::over(
            $func,
            |store, call| {
                $crate::p3::table::invoke_over(store, call, |store, ($($arg,)*)| {
                    $function(store $(, $arg)*)
                })
            },
            |store, ($($arg,)*)| $function(store $(, $arg)*),
        )
    };
    (wait $func:literal = $function:ident($($arg:ident),*)) => {
        $crate::p3::table::wait(
            $func,
            |store, call| {
                $crate::p3::table::invoke_wait(store, call, |store, ($($arg,)*)| {
                    $function(store $(, $arg)*)
                })
            },
            |store, ($($arg,)*)| $function(store $(, $arg)*),
        )
    };
}

pub(crate) use {interface, row};
