//! The world `wasi:cli/command`, as bindings to it look in wasmtime, and what other worlds
//! that import WASI use in place of bindings to it: `with: { "wasi": bindings::sync }`.

pub use super::interfaces::*;

/// For stores that are used by one thread at a time, and wait in it.
pub mod sync {
    pub use super::{cli, clocks, filesystem, http, io, random, sockets};

    use zwasm::{AsContextMut, Error, Result};
    use zwasm_component::{Component, Instance, InstancePre, Linker, TypedFunc};

    /// The interfaces whose `run` is a program, without the last part of their versions.
    /// The newer counts if a component exports both.
    const RUN: [&str; 2] = ["wasi:cli/run@0.3.", "wasi:cli/run@0.2."];

    /// A component that is a program, in a store.
    ///
    /// ```no_run
    /// # use zwasm::{Engine, Store};
    /// # use zwasm_component::{Component, Linker};
    /// # use zwasm_wasi::p2::{WasiView, bindings::sync::Command};
    /// # fn run<T: WasiView + 'static>(engine: &Engine, data: T) -> zwasm::Result<bool> {
    /// let mut linker = Linker::new(engine);
    /// zwasm_wasi::p2::add_to_linker_sync(&mut linker)?;
    /// let component = Component::from_file(engine, "hello.wasm")?;
    /// let mut store = Store::new(engine, data);
    /// let command = Command::instantiate(&mut store, &component, &linker)?;
    /// Ok(command.wasi_cli_run().call_run(&mut store)?.is_ok())
    /// # }
    /// ```
    pub struct Command {
        run: Run,
    }

    /// Its export `wasi:cli/run`.
    pub struct Run {
        run: TypedFunc<(), (Result<(), ()>,)>,
    }

    /// A component that is a program, with its imports found.
    pub struct CommandPre<T: 'static> {
        pre: InstancePre<T>,
    }

    impl Command {
        /// Instantiates the component.
        ///
        /// # Errors
        ///
        /// As [`Linker::instantiate`], and if it is no program.
        pub fn instantiate<T: 'static>(
            mut store: impl AsContextMut<Data = T>,
            component: &Component,
            linker: &Linker<T>,
        ) -> Result<Command> {
            let instance = linker.instantiate(&mut store, component)?;
            Command::new(store, &instance)
        }

        /// Takes an instance of it.
        ///
        /// # Errors
        ///
        /// If it is no program.
        pub fn new(mut store: impl AsContextMut, instance: &Instance) -> Result<Command> {
            let exports = instance.exports(&mut store);
            let names = || exports.iter().map(|(name, _)| name);
            let name = RUN.iter().find_map(|run| names().find(|name| name.starts_with(run)));
            let Some(name) = name else {
                return Err(Error::msg(
                    "this component is no program: it exports no 'wasi:cli/run'",
                ));
            };
            let run = instance.get_typed_func(store, format!("{name}#run"))?;
            Ok(Command { run: Run { run } })
        }

        /// Its export `wasi:cli/run`.
        pub fn wasi_cli_run(&self) -> &Run {
            &self.run
        }
    }

    impl Run {
        /// Runs the program.
        ///
        /// # Errors
        ///
        /// What stopped it, among it [`I32Exit`](crate::I32Exit) if it exits.
        pub fn call_run(&self, store: impl AsContextMut) -> Result<Result<(), ()>> {
            Ok(self.run.call(store, ())?.0)
        }
    }

    impl<T: 'static> CommandPre<T> {
        /// Takes a component with its imports found.
        ///
        /// # Errors
        ///
        /// None: whether it is a program shows when it is instantiated.
        pub fn new(pre: InstancePre<T>) -> Result<CommandPre<T>> {
            Ok(CommandPre { pre })
        }

        /// Instantiates it.
        ///
        /// # Errors
        ///
        /// As [`InstancePre::instantiate`], and if it is no program.
        pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Command> {
            let instance = self.pre.instantiate(&mut store)?;
            Command::new(store, &instance)
        }
    }
}
