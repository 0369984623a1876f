//! The first pass: validation, and the definitions of each component in order.
//!
//! `wasmparser` validates all but the bodies of core functions: a core module is compiled
//! from its range of the bytes, which validates it whole, and what the validator of
//! components then needs is its sections without the bodies. Definitions borrow from
//! the bytes.

use std::sync::Arc;

use wasmparser::{
    BinaryReaderError, CanonicalFunction, ComponentAlias, ComponentExport, ComponentImport,
    ComponentInstance, ComponentType, CoreType, Encoding, FromReader, Instance, Parser, Payload,
    SectionLimited, Validator,
};
use zwasm::source::{self, Kind};
use zwasm::{Engine, Error, ErrorKind, Module, Result};

use super::weigh::Weigher;
use crate::tuning::MAX_NESTING;

/// All components of a binary, the outermost first, and all core modules.
pub(super) struct Parts<'a> {
    pub(super) engine: Engine,
    pub(super) bodies: Vec<Body<'a>>,
    pub(super) modules: Vec<Module>,
}

/// What a component defines, in order.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) definitions: Vec<Definition<'a>>,
}

pub(super) enum Definition<'a> {
    Import(ComponentImport<'a>),
    CoreType(CoreType<'a>),
    Type(ComponentType<'a>),
    Alias(ComponentAlias<'a>),
    /// A core module, by its place in [`Parts`].
    Module(u32),
    /// A component, by its place in [`Parts`].
    Component(u32),
    CoreInstance(Instance<'a>),
    Instance(ComponentInstance<'a>),
    Canonical(CanonicalFunction),
    Export(ComponentExport<'a>),
}

pub(super) fn read<'a>(engine: &Engine, bytes: &'a Arc<Vec<u8>>) -> Result<Parts<'a>> {
    let mut validator = Validator::new_with_features(engine.component_features());
    let mut parts = Parts { engine: engine.clone(), bodies: Vec::new(), modules: Vec::new() };
    let mut weigher = Weigher::new(bytes.len());
    let mut open: Vec<usize> = Vec::new();
    let mut in_module = false;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        if let Payload::ModuleSection { unchecked_range: range, .. } = &payload {
            // Before the validator sees it, whose words for what is wrong are fewer.
            let range = range.start as usize..range.end as usize;
            let start = range.start;
            let Some(module) = bytes.get(range.clone()) else {
                let message = "a core module ends behind the end of the component";
                return Err(Error::malformed("component", message, start));
            };
            if source::check_binary(Kind::Module, module).is_err() {
                let message = "expected a version header for a module";
                return Err(Error::malformed("component", message, start));
            }
            let module = Module::from_part(engine, bytes, range);
            parts.modules.push(module.map_err(|error| within_module(&error, start))?);
        }
        let within =
            in_module || matches!(payload, Payload::Version { encoding: Encoding::Module, .. });
        if within {
            validator.payload(&payload).map_err(invalid)?;
            in_module = !matches!(payload, Payload::End(_));
            continue;
        }
        let mut read = Ok(());
        if let Some(&body) = open.last() {
            let (component, module) = (parts.bodies.len() as u32, parts.modules.len() as u32);
            let definitions = &mut parts.bodies[body].definitions;
            let first = definitions.len();
            match &payload {
                Payload::ModuleSection { .. } => definitions.push(Definition::Module(module - 1)),
                Payload::ComponentSection { .. } => {
                    definitions.push(Definition::Component(component));
                }
                payload => read = section(definitions, payload),
            }
            definitions[first..].iter().try_for_each(|definition| weigher.weigh(definition))?;
        }
        // The validator is the first to say what is wrong.
        validator.payload(&payload).map_err(invalid)?;
        read?;
        match payload {
            Payload::Version { range, .. } => {
                if open.len() == MAX_NESTING {
                    let start = range.start as usize;
                    let message = format!("components are nested deeper than {MAX_NESTING}");
                    return Err(Error::malformed("component", &message, start));
                }
                weigher.open();
                open.push(parts.bodies.len());
                parts.bodies.push(Body::default());
            }
            Payload::End(_) => {
                weigher.close();
                open.pop();
            }
            _ => {}
        }
    }
    Ok(parts)
}

/// The definitions of a section. One that is of no use in a component has none: the
/// validator refuses it.
fn section<'a>(definitions: &mut Vec<Definition<'a>>, payload: &Payload<'a>) -> Result<()> {
    match payload {
        Payload::InstanceSection(section) => all(definitions, section, Definition::CoreInstance),
        Payload::CoreTypeSection(section) => all(definitions, section, Definition::CoreType),
        Payload::ComponentInstanceSection(section) => {
            all(definitions, section, Definition::Instance)
        }
        Payload::ComponentAliasSection(section) => all(definitions, section, Definition::Alias),
        Payload::ComponentTypeSection(section) => all(definitions, section, Definition::Type),
        Payload::ComponentCanonicalSection(section) => {
            all(definitions, section, Definition::Canonical)
        }
        Payload::ComponentImportSection(section) => all(definitions, section, Definition::Import),
        Payload::ComponentExportSection(section) => all(definitions, section, Definition::Export),
        _ => Ok(()),
    }
}

fn all<'a, T: FromReader<'a>>(
    definitions: &mut Vec<Definition<'a>>,
    section: &SectionLimited<'a, T>,
    make: fn(T) -> Definition<'a>,
) -> Result<()> {
    for item in section.clone() {
        definitions.push(make(item.map_err(invalid)?));
    }
    Ok(())
}

fn invalid(error: BinaryReaderError) -> Error {
    Error::malformed("component", error.message(), error.offset() as usize)
}

/// An error about a core module, at the place of which it is in the component.
fn within_module(error: &Error, start: usize) -> Error {
    let text = error.to_string();
    let detail = text.strip_prefix("invalid module: ").unwrap_or(&text);
    let message =
        format!("invalid component: in the core module at byte offset {start:#x}: {detail}");
    let kind = error.kind();
    let error_at = start + error.offset().unwrap_or(0);
    match kind {
        ErrorKind::Invalid => Error::of_kind(kind, message).at(error_at),
        _ => Error::of_kind(kind, text),
    }
}
