//! `--link`: modules that provide the imports of others.
//!
//! A module is instantiated after the modules it imports from, whatever their
//! order on the command line. Modules that import from each other cannot be:
//! such a cycle is refused before anything runs.

use zwasm::{Engine, Linker, Module, Store};

use crate::failure::Failure;
use crate::guest::Guest;
use crate::imports;
use crate::module::{self, Program};
use crate::operands::{Link, Unknown};
use crate::run::{INITIALIZE, WASI};

/// The modules given by `--link`, each after those it imports from.
pub struct Linked<'a>(Vec<(&'a Link, Module)>);

impl<'a> Linked<'a> {
    /// Loads and orders the modules.
    ///
    /// # Errors
    /// When a file cannot be read or is no valid module, or modules import from
    /// each other.
    pub fn load(engine: &Engine, links: &'a [Link]) -> Result<Self, Failure> {
        let load = |link: &'a Link| -> Result<_, Failure> {
            match load(engine, link)? {
                Program::Module(module) => Ok((link, module)),
                #[cfg(feature = "component")]
                Program::Component(_) => {
                    let mut failure = Failure::runtime("modules cannot import from a component");
                    failure.add(&given_by(link));
                    Err(failure)
                }
            }
        };
        let modules = links.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        let needs: Vec<Vec<usize>> = modules.iter().map(|one| dependencies(one, links)).collect();
        in_order(modules, &needs, links).map(Self)
    }

    /// The modules, in the order of instantiation.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.0.iter().map(|(_, module)| module)
    }

    /// Instantiates the modules and defines their exports. What imports nothing provides
    /// for is `unknown`'s to say.
    ///
    /// # Errors
    /// When one lacks an import or fails as it starts.
    pub fn define(
        &self,
        store: &mut Store<Guest>,
        linker: &mut Linker<Guest>,
        unknown: Option<Unknown>,
    ) -> Result<(), Failure> {
        // A module may stand between the program and the system by taking the
        // name of the latter.
        linker.allow_shadowing(true);
        for (link, module) in &self.0 {
            let mut instantiate = || {
                if let Some(how) = unknown {
                    imports::stand_in(how, linker, store, module)?;
                }
                let instance = linker.instantiate(&mut *store, module)?;
                if let Some(initialize) = instance.get_func(&mut *store, INITIALIZE) {
                    initialize.call(&mut *store, &[], &mut [])?;
                }
                linker.instance(&mut *store, &link.name, instance).map(|_| ())
            };
            instantiate().map_err(|error| {
                let mut failure = Failure::from(error);
                failure.add(&given_by(link));
                failure
            })?;
        }
        Ok(())
    }
}

/// What a link's file has in it.
///
/// # Errors
/// When it cannot be read or is invalid.
pub fn load(engine: &Engine, link: &Link) -> Result<Program, Failure> {
    module::load(engine, &link.file).map_err(|mut failure| {
        failure.add(&given_by(link));
        failure
    })
}

pub fn given_by(link: &Link) -> String {
    format!(" (given by '--link {}={}')", link.name, link.file.display())
}

/// Puts what links give after what it needs.
///
/// # Errors
/// When some of it needs itself.
pub fn in_order<T>(items: Vec<T>, needs: &[Vec<usize>], links: &[Link]) -> Result<Vec<T>, Failure> {
    match order(needs) {
        Ok(order) => {
            let mut items: Vec<_> = items.into_iter().map(Some).collect();
            Ok(order.into_iter().filter_map(|index| items[index].take()).collect())
        }
        Err(cycle) => {
            let names: Vec<_> = cycle.iter().map(|&index| links[index].name.as_str()).collect();
            Err(Failure::runtime(format!(
                "option '--link': modules that import from each other cannot be linked: {}",
                names.join(" -> ")
            )))
        }
    }
}

/// The links that a module imports from. One that takes the system's name may
/// import from the system itself.
fn dependencies((link, module): &(&Link, Module), links: &[Link]) -> Vec<usize> {
    let wraps_system = WASI.contains(&link.name.as_str());
    let mut needed: Vec<usize> = module
        .imports()
        .filter(|import| !(wraps_system && import.module() == link.name))
        .filter_map(|import| links.iter().position(|other| other.name == import.module()))
        .collect();
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Puts nodes after the nodes they need; a cycle, with its first node once more
/// at the end, if there is one.
fn order(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut ordered = Vec::new();
    // The nodes being visited, each with how many of its needs have been.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for start in 0..needs.len() {
        path.push((start, 0));
        while let Some((node, visited)) = path.last_mut() {
            let node = *node;
            let next = needs[node].get(*visited).copied();
            *visited += 1;
            match next {
                Some(next) if ordered.contains(&next) => {}
                Some(next) => {
                    if let Some(first) = path.iter().position(|&(node, _)| node == next) {
                        let cycle = path[first..].iter().map(|&(node, _)| node);
                        return Err(cycle.chain([next]).collect());
                    }
                    path.push((next, 0));
                }
                None => {
                    path.pop();
                    if !ordered.contains(&node) {
                        ordered.push(node);
                    }
                }
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        assert_eq!(order(&[]), Ok(vec![]));
        assert_eq!(order(&[vec![1], vec![2], vec![]]), Ok(vec![2, 1, 0]));
        assert_eq!(order(&[vec![1, 2], vec![3], vec![3], vec![]]), Ok(vec![3, 1, 2, 0]));
        assert_eq!(order(&[vec![0]]), Err(vec![0, 0]));
        assert_eq!(order(&[vec![1], vec![2], vec![1]]), Err(vec![1, 2, 1]));
    }
}
