//! The directives of components.
//!
//! They live in the store of the script, so that what one exports another can import:
//! functions by calling from one into the other, modules and resources as they are. A
//! script compares messages by containment, for that is how wasmtime does, in whose words
//! the official scripts are; ours agree where the words do, from the beginning of a word
//! to the end of one.

use super::{Check, Ended, Made, Rejected, Returned, Runner, mismatch, show_error, wording};
use crate::decode::{Malformed, decode_component};
use crate::values;
use wasmparser::Parser;
use wast::{QuoteWat, WastExecute, WastInvoke, Wat};
use zwasm::{Error, ErrorKind};
use zwasm_component::types::ComponentItem;
use zwasm_component::{Component, Instance, LinkerInstance, Type, Val};

impl Runner {
    /// Whether an action is about a component.
    pub(super) fn is_of_component(&self, action: &WastExecute<'_>) -> bool {
        match action {
            WastExecute::Invoke(WastInvoke { module, .. }) | WastExecute::Get { module, .. } => {
                matches!(self.instance(*module), Ok(Made::Component(_)))
            }
            WastExecute::Wat(Wat::Component(_)) => true,
            WastExecute::Wat(Wat::Module(_)) => false,
        }
    }

    pub(super) fn call_component(
        &mut self,
        instance: Instance,
        invoke: &WastInvoke<'_>,
    ) -> Result<Ended, String> {
        let Some(function) = instance.get_func(&mut self.store, invoke.name) else {
            return Err(format!("no exported function \"{}\"", invoke.name));
        };
        let ty = function.ty(&self.store);
        let types: Vec<Type> = ty.params().map(|(_, ty)| ty).collect();
        if types.len() != invoke.args.len() {
            let (wanted, given) = (types.len(), invoke.args.len());
            return Err(format!("a function of {wanted} parameters, given {given}"));
        }
        let arguments = invoke.args.iter().zip(&types);
        let arguments: Result<Vec<Val>, String> =
            arguments.map(|(argument, ty)| values::component::argument(argument, ty)).collect();
        let mut results = vec![Val::Bool(false); ty.results().len()];
        let ended = function.call(&mut self.store, &arguments?, &mut results);
        Ok(ended.map(|()| Returned::Component(results)))
    }

    /// The call or instantiation ended with a trap, of the guest or of the canonical ABI.
    pub(super) fn check_component_trap(
        &self,
        ended: Result<Ended, String>,
        message: &str,
    ) -> Check {
        let got = match ended {
            Ok(Ok(returned)) => self.show(&returned, &[]),
            Ok(Err(error)) if is_trap(&error) => {
                let expected = message.strip_prefix("wasm trap: ").unwrap_or(message);
                let got = error.summary();
                if wording::says(expected, &got, &[wording::WASMTIME]) {
                    return Ok(());
                }
                show_error(&error)
            }
            Ok(Err(error)) => show_error(&error),
            Err(reason) => reason,
        };
        Err(mismatch(format!("trap \"{message}\""), got))
    }

    /// The grammar has no such component.
    pub(super) fn assert_component_malformed(&self, mut wat: QuoteWat<'_>, message: &str) -> Check {
        let got = match self.compile_quoted(&mut wat) {
            Ok(_) => "a valid component".into(),
            Err(Rejected::Text(got) | Rejected::Binary(got))
                if wording::says(message, &got, &[wording::COMPONENT_TEXT]) =>
            {
                return Ok(());
            }
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("malformed component \"{message}\""), got))
    }

    /// The component can be read, but is not valid.
    pub(super) fn assert_component_invalid(&self, mut wat: QuoteWat<'_>, message: &str) -> Check {
        let got = match self.compile_quoted(&mut wat) {
            Ok(_) => "a valid component".into(),
            Err(Rejected::Invalid(error)) if wording::says(message, &error.to_string(), &[]) => {
                return Ok(());
            }
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("invalid component \"{message}\""), got))
    }

    /// A valid component whose imports do not fit.
    pub(super) fn assert_component_unlinkable(&mut self, mut wat: Wat<'_>, message: &str) -> Check {
        let made = self.compile(&mut wat).map(|definition| self.make(&definition));
        let got = match made {
            Ok(Err(error)) if error.kind() == ErrorKind::Link => {
                if wording::says(message, &error.to_string(), &[wording::COMPONENT_UNLINKABLE]) {
                    return Ok(());
                }
                show_error(&error)
            }
            Ok(Err(error)) => show_error(&error),
            Ok(Ok(_)) => "an instance".into(),
            Err(rejected) => rejected.show(),
        };
        Err(mismatch(format!("unlinkable component \"{message}\""), got))
    }

    pub(super) fn compile_component(&self, bytes: &[u8]) -> Result<Component, Rejected> {
        Component::from_binary(&self.engine, bytes).map_err(|error| {
            // Modules are told how to become components, which is not what scripts expect.
            if error.kind() != ErrorKind::Invalid && !Parser::is_core_wasm(bytes) {
                return Rejected::Engine(error);
            }
            let features = self.dialect.grammar | self.dialect.gates.flags();
            match decode_component(bytes, features) {
                Err(Malformed { message, offset }) => {
                    Rejected::Binary(format!("{message} (at byte offset {offset:#x})"))
                }
                Ok(()) => Rejected::Invalid(error),
            }
        })
    }

    /// Makes what a component's instance exports importable under a name.
    pub(super) fn name_component(&mut self, name: &str, instance: Instance) -> zwasm::Result<()> {
        let exports = instance.exports(&mut self.store);
        let mut linker = self.component_linker.instance(name)?;
        for (name, item) in exports {
            define(&mut linker, &mut self.store, instance, &name, &name, item)?;
        }
        Ok(())
    }
}

/// Whether the guest is at fault: it trapped, or broke a rule of the canonical ABI.
fn is_trap(error: &Error) -> bool {
    error.kind() == ErrorKind::Trap
}

/// Defines an export of an instance, which is there found by `path`.
fn define(
    linker: &mut LinkerInstance<'_, ()>,
    store: &mut zwasm::Store<()>,
    instance: Instance,
    name: &str,
    path: &str,
    item: ComponentItem,
) -> zwasm::Result<()> {
    let missing = || Error::msg(format!("no export \"{path}\""));
    match item {
        ComponentItem::ComponentFunc(_) => {
            let func = instance.get_func(&mut *store, path).ok_or_else(missing)?;
            linker.func_new(name, move |store, _, arguments, results| {
                func.call(store, arguments, results)
            })
        }
        ComponentItem::Module(_) => {
            let module = instance.get_module(&mut *store, path).ok_or_else(missing)?;
            linker.module(name, &module)
        }
        ComponentItem::Resource(_) => {
            let ty = instance.get_resource(&mut *store, path).ok_or_else(missing)?;
            // Its own component destroys what is dropped.
            linker.resource(name, ty, |_, _| Ok(()))
        }
        ComponentItem::ComponentInstance(within) => {
            let mut linker = linker.instance(name)?;
            for (inner, item) in within.exports() {
                let path = format!("{path}#{inner}");
                define(&mut linker, &mut *store, instance, inner, &path, item)?;
            }
            Ok(())
        }
        // A type says what others are, and is nothing by itself. The others are no exports
        // of instances that a host can reach.
        ComponentItem::Type(_) | ComponentItem::CoreFunc(_) | ComponentItem::Component(_) => Ok(()),
    }
}
