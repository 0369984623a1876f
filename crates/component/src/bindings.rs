//! What the code that `bindgen!` makes is written with.

use std::marker::PhantomData;

/// Which type has the host's functions, given the data of a store.
///
/// `bindgen!` makes traits to implement, and functions that put an implementation into a
/// linker. These are given how to get from the store's data `T` to what implements the
/// trait: `fn(&mut T) -> D::Data<'_>`. `D` is a name for that function's result, whose
/// lifetime is that of the borrow of the data.
///
/// Where the data itself implements the trait, `D` is [`HasSelf`]; a library that borrows
/// more than one part of it has a type of its own:
///
/// ```
/// use zwasm_component::HasData;
///
/// struct Names(Vec<String>);
/// struct View<'a> {
///     names: &'a mut Names,
///     count: &'a mut u32,
/// }
///
/// struct HasView;
/// impl HasData for HasView {
///     type Data<'a> = View<'a>;
/// }
/// ```
pub trait HasData: 'static {
    /// What implements the traits.
    type Data<'a>;
}

/// [`HasData`] of what is borrowed as it is: `add_to_linker::<_, HasSelf<_>>(linker, |data| data)`.
pub struct HasSelf<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized + 'static> HasData for HasSelf<T> {
    type Data<'a> = &'a mut T;
}

/// What expansions of macros name. It is no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;
    pub use std::collections::HashMap;
    pub use std::string::String;
    pub use std::vec::Vec;

    pub use zwasm::{AsContextMut, Engine, Result, StoreContextMut};

    use std::fmt;

    use zwasm::Error;

    use crate::types::ComponentItem;
    use crate::{Component, ComponentNamedList, Func, Instance, Lift, Lower, TypedFunc};

    /// The error of a case that a Rust type does not have, after its type was checked.
    pub fn no_case<T>(case: usize) -> Result<T> {
        Err(Error::msg(format!("case {case} is none of the Rust type's")))
    }

    /// Shows a set of flags by their names.
    pub fn format_flags(f: &mut fmt::Formatter<'_>, words: &[u32], names: &[&str]) -> fmt::Result {
        let is_set = |at: &usize| words[at / 32] & 1 << (at % 32) != 0;
        f.write_str("(")?;
        for (count, at) in (0..names.len()).filter(is_set).enumerate() {
            let between = if count == 0 { "" } else { "|" };
            write!(f, "{between}{}", names[at])?;
        }
        f.write_str(")")
    }

    /// An exported function, its types checked.
    pub fn find<Params, Return>(
        store: impl AsContextMut,
        instance: &Instance,
        name: &str,
    ) -> Result<Func>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift + 'static,
    {
        Ok(*instance.get_typed_func::<Params, Return>(store, name)?.func())
    }

    /// A function whose types were checked when it was found.
    pub fn typed<Params, Return>(func: Func) -> TypedFunc<Params, Return>
    where
        Params: ComponentNamedList + Lower,
        Return: ComponentNamedList + Lift + 'static,
    {
        TypedFunc::unchecked(func)
    }

    /// Checks that a component exports functions.
    pub fn check_functions(component: &Component, names: &[&str]) -> Result<()> {
        let ty = component.component_type();
        let exports: HashMap<_, _> = ty.exports().collect();
        for name in names {
            match exports.get(name) {
                Some(ComponentItem::ComponentFunc(_)) => {}
                Some(_) => return Err(Error::msg(format!("export `{name}` is no function"))),
                None => return Err(Error::msg(format!("no export `{name}` found"))),
            }
        }
        Ok(())
    }

    /// Checks that a component exports an instance with functions.
    pub fn check_instance(component: &Component, instance: &str, names: &[&str]) -> Result<()> {
        let ty = component.component_type();
        let found = ty.exports().find(|(name, _)| *name == instance);
        let Some((_, ComponentItem::ComponentInstance(found))) = found else {
            return Err(Error::msg(format!("no exported instance named `{instance}`")));
        };
        let exports: HashMap<_, _> = found.exports().collect();
        match names.iter().find(|name| !exports.contains_key(*name)) {
            None => Ok(()),
            Some(name) => Err(Error::msg(format!(
                "instance export `{instance}` does not have export `{name}`"
            ))),
        }
    }
}
