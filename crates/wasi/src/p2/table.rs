//! How an interface is declared, and how its functions are called.
//!
//! An interface is a list of rows: a name, and a plain Rust function over a view of the
//! guest's state. What moves the arguments and the result is compiled once per
//! signature, and knows of the store no more than [`Store`] says: for each type of data
//! that stores have, a row costs a few instructions.

use std::io;

use zwasm::{Error, Result, StoreContextMut, Trap};
use zwasm_component::{
    Access, ComponentNamedList, Lift, Linker, LinkerInstance, Lower, RawCall, Resource,
    ResourceTableError, ResourceType,
};

use super::{WasiCtxView, WasiView};
use crate::host::Failure;

/// A store, whatever its data.
trait Store {
    /// What moving values needs.
    fn access(&mut self) -> &mut dyn Access;
    /// The guest's state.
    fn view(&mut self) -> WasiCtxView<'_>;
}

struct Caller<'a, T: 'static>(StoreContextMut<'a, T>);

impl<T: WasiView + 'static> Store for Caller<'_, T> {
    fn access(&mut self) -> &mut dyn Access {
        &mut self.0
    }

    fn view(&mut self) -> WasiCtxView<'_> {
        self.0.data_mut().ctx()
    }
}

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
        Failure::Refused => {
            Error::msg(format_args!("the program wants to {wanted}, which it may not"))
        }
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

/// A function of an interface.
type Function<A, O> = fn(&mut WasiCtxView<'_>, A) -> O;

/// An interface that is being defined.
pub(crate) struct Interface<'a, T: 'static> {
    linker: LinkerInstance<'a, T>,
    name: &'static str,
}

impl<'a, T: WasiView + 'static> Interface<'a, T> {
    pub(crate) fn new(linker: &'a mut Linker<T>, name: &'static str) -> Result<Interface<'a, T>> {
        Ok(Interface { linker: linker.instance(name)?, name })
    }

    /// Defines a function.
    pub(crate) fn func<A, O>(&mut self, name: &'static str, function: Function<A, O>) -> Result<()>
    where
        A: ComponentNamedList + Lift + 'static,
        O: Outcome + 'static,
    {
        let site = (self.name, name);
        self.linker.func_raw::<A, O::List>(name, move |store, call| {
            invoke(&mut Caller(store), call, site, function)
        })
    }

    /// Defines a resource, whose values are in the table.
    pub(crate) fn resource<R: Send + 'static>(&mut self, name: &'static str) -> Result<()> {
        self.linker.resource(name, ResourceType::host::<R>(), |store, rep| {
            discard::<R>(&mut Caller(store), rep)
        })
    }
}

fn invoke<A, O>(
    store: &mut dyn Store,
    call: &mut RawCall<'_>,
    (interface, name): (&'static str, &'static str),
    function: Function<A, O>,
) -> Result<()>
where
    A: ComponentNamedList + Lift,
    O: Outcome,
{
    let args = call.args::<A>(store.access())?;
    let mut view = store.view();
    match function(&mut view, args).settle() {
        Ok((result, success)) => {
            trace(&view, interface, name, if success { "ok" } else { "error" });
            call.finish(store.access(), &result)
        }
        Err(error) => {
            trace(&view, interface, name, "stops");
            // What can not be written stays for the embedder's own flush.
            let _ = view.ctx.0.stdio.flush(&view.ctx.0.host);
            Err(error)
        }
    }
}

fn discard<R: Send + 'static>(store: &mut dyn Store, rep: u32) -> Result<()> {
    store.view().table.delete(Resource::<R>::new_own(rep))?;
    Ok(())
}

/// Has a line written about a call: `wasi:cli/stdin.get-stdin = ok`.
fn trace(view: &WasiCtxView<'_>, interface: &str, name: &str, outcome: &str) {
    if let Some(trace) = &view.ctx.0.trace {
        let (interface, _) = interface.split_once('@').unwrap_or((interface, ""));
        trace(&format!("{interface}.{name} = {outcome}"));
    }
}

/// Declares an interface as a function that defines it in a linker: its resources, each
/// with the Rust type of the values in the table, and its functions, each with the
/// names of its parameters and the Rust function it is.
macro_rules! interface {
    (
        $(#[$doc:meta])*
        fn $define:ident = $name:literal {
            $(resource $resource:literal: $ty:ty;)*
            $($func:literal = $function:ident($($arg:ident),*);)*
        }
    ) => {
        $(#[$doc])*
        pub(crate) fn $define<T: $crate::p2::WasiView + 'static>(
            linker: &mut zwasm_component::Linker<T>,
        ) -> zwasm::Result<()> {
            let mut interface = $crate::p2::table::Interface::new(linker, $name)?;
            $(interface.resource::<$ty>($resource)?;)*
            $(interface.func($func, |cx, ($($arg,)*)| $function(cx $(, $arg)*))?;)*
            Ok(())
        }
    };
}
pub(crate) use interface;
