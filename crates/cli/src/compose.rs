//! `--link` for components: what one exports, others import.
//!
//! The interfaces that a linked component exports are there under their own names, and
//! what else it exports under the name given. A linked module is there for whoever
//! imports a module. As with modules, the order on the command line does not matter, and
//! what imports from itself is refused before anything runs.
//!
//! Values cross as the host sees them, since each component is an instance of its own: a
//! resource stays the one it is.

use std::collections::{HashMap, HashSet};

use zwasm::{AsContextMut, Engine, Error, Store};
use zwasm_component::types::{self, ComponentFunc, ComponentItem};
use zwasm_component::{Component, Instance, Linker, LinkerInstance};

use crate::failure::Failure;
use crate::guest::Guest;
use crate::link::{given_by, in_order, load};
use crate::module::Program;
use crate::operands::Link;

/// What `--link` gives, each after what it imports from.
pub struct Linked<'a>(Vec<(&'a Link, Program)>);

impl<'a> Linked<'a> {
    /// Loads and orders the files.
    ///
    /// # Errors
    /// When a file cannot be read or is invalid, or components import from each other.
    pub fn load(engine: &Engine, links: &'a [Link]) -> Result<Self, Failure> {
        let programs = links.iter().map(|link| Ok((link, load(engine, link)?)));
        let programs = programs.collect::<Result<Vec<_>, Failure>>()?;
        let given: Vec<HashSet<String>> = programs.iter().map(names).collect();
        let mut givers: HashMap<&str, usize> = HashMap::new();
        for (at, names) in given.iter().enumerate() {
            for name in names {
                givers.entry(name).or_insert(at);
            }
        }
        let needs: Vec<Vec<usize>> = programs
            .iter()
            .enumerate()
            .map(|(at, (_, program))| {
                let Program::Component(component) = program else { return Vec::new() };
                let ty = component.component_type();
                // It may stand between others and what it takes the name of.
                let own = |name: &str| given[at].contains(name);
                let names = ty.imports().map(|(name, _)| unversioned(name));
                let mut needs: Vec<usize> = names
                    .filter(|name| !own(name))
                    .filter_map(|name| givers.get(name).copied())
                    .collect();
                needs.sort_unstable();
                needs.dedup();
                needs
            })
            .collect();
        in_order(programs, &needs, links).map(Self)
    }

    /// The components, in the order of instantiation.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.0.iter().filter_map(|(_, program)| match program {
            Program::Component(component) => Some(component),
            Program::Module(_) => None,
        })
    }

    /// Instantiates the components and defines what they export, checking that it is what
    /// `main` imports.
    ///
    /// # Errors
    /// When one lacks an import, fails as it starts, or has other types.
    pub fn define(
        &self,
        store: &mut Store<Guest>,
        linker: &mut Linker<Guest>,
        main: &Component,
    ) -> Result<(), Failure> {
        // As a module may, a component may take the system's name.
        linker.allow_shadowing(true);
        for (at, (link, program)) in self.0.iter().enumerate() {
            let rest = self.0[at + 1..].iter().filter_map(|(_, program)| match program {
                Program::Component(component) => Some(component),
                Program::Module(_) => None,
            });
            let importers = rest.chain([main]);
            let outcome = match program {
                Program::Module(module) => linker.root().module(&link.name, module),
                Program::Component(component) => define(store, linker, link, component, importers),
            };
            outcome.map_err(|error| {
                let mut failure = Failure::from(error);
                failure.add(&given_by(link));
                failure
            })?;
        }
        Ok(())
    }
}

/// The names under which a link gives something, without their versions.
fn names((link, program): &(&Link, Program)) -> HashSet<String> {
    let mut names = HashSet::from([unversioned(&link.name).to_owned()]);
    if let Program::Component(component) = program {
        let ty = component.component_type();
        let instances =
            ty.exports().filter(|(_, item)| matches!(item, ComponentItem::ComponentInstance(_)));
        names.extend(instances.map(|(name, _)| unversioned(name).to_owned()));
    }
    names
}

fn unversioned(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn define<'a>(
    store: &mut Store<Guest>,
    linker: &mut Linker<Guest>,
    link: &Link,
    component: &Component,
    importers: impl Iterator<Item = &'a Component>,
) -> Result<(), Error> {
    let instance = linker.instantiate(&mut *store, component)?;
    let mut given = HashMap::new();
    let mut own = Vec::new();
    for (name, item) in instance.exports(&mut *store) {
        match item {
            ComponentItem::ComponentInstance(interface) => {
                let items: Vec<_> =
                    interface.exports().map(|(name, item)| (name.to_owned(), item)).collect();
                let mut names = linker.instance(&name)?;
                add(&mut names, instance, &name, &items, &mut given)?;
            }
            item => own.push((name, item)),
        }
    }
    if !own.is_empty() {
        let mut names = linker.instance(&link.name)?;
        add(&mut names, instance, "", &own, &mut given)?;
    }
    importers
        .into_iter()
        .try_for_each(|importer| fits(&importer.component_type(), &link.name, &given))
}

/// Defines the items of an instance that is found by a path. What its functions are is
/// noted by interface and name.
fn add(
    names: &mut LinkerInstance<'_, Guest>,
    instance: Instance,
    path: &str,
    items: &[(String, ComponentItem)],
    given: &mut HashMap<(String, String), ComponentFunc>,
) -> Result<(), Error> {
    for (name, item) in items {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}#{name}") };
        match item {
            ComponentItem::ComponentFunc(ty) => {
                given.insert((path.to_owned(), name.clone()), ty.clone());
                names.func_new(name, move |mut store, _, params, results| {
                    let func = instance.get_func(store.as_context_mut(), &inner);
                    let func = func.ok_or_else(|| Error::msg(format!("there is no '{inner}'")))?;
                    func.call(store, params, results)
                })?;
            }
            // Dropping its owner is the guest's own business.
            ComponentItem::Resource(resource) => names.resource(name, *resource, |_, _| Ok(()))?,
            ComponentItem::ComponentInstance(interface) => {
                let items: Vec<_> =
                    interface.exports().map(|(name, item)| (name.to_owned(), item)).collect();
                add(&mut names.instance(name)?, instance, &inner, &items, given)?;
            }
            // Types have no part in it; modules and components are not exported to others.
            ComponentItem::Type(_)
            | ComponentItem::CoreFunc(_)
            | ComponentItem::Module(_)
            | ComponentItem::Component(_) => {}
        }
    }
    Ok(())
}

/// Checks that the functions that a component imports are those that are given.
fn fits(
    importer: &types::Component,
    link: &str,
    given: &HashMap<(String, String), ComponentFunc>,
) -> Result<(), Error> {
    for (interface, item) in importer.imports() {
        let ComponentItem::ComponentInstance(wanted) = item else { continue };
        let path = if interface == link { "" } else { interface };
        for (name, item) in wanted.exports() {
            let ComponentItem::ComponentFunc(wanted) = item else { continue };
            let Some(given) = given.get(&(path.to_owned(), name.to_owned())) else { continue };
            let (wanted, given) = (wanted.to_string(), given.to_string());
            if wanted != given {
                return Err(Error::msg(format!(
                    "'{interface}' is imported with '{name}: {wanted}', but has '{name}: {given}'"
                )));
            }
        }
    }
    Ok(())
}
