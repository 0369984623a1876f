//! The sound (and officially unsound) modules that mutants are made of.

use super::rng::Rng;
use crate::{files_below, script};
use std::path::Path;
use std::{fs, io};
use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute};

/// Modules grouped by the file they come from, so that a script with a
/// thousand tiny ones does not drown a real program.
#[derive(Default)]
pub struct Corpus {
    files: Vec<Vec<Vec<u8>>>,
}

impl Corpus {
    /// Takes every module of the `.wasm`, `.wat` and `.wast` files below
    /// `folder`, in the order of their paths.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut corpus = Self::default();
        for path in files_below(folder, &["wasm", "wat", "wast"])? {
            let bytes = fs::read(&path)?;
            if path.extension().is_some_and(|extension| extension == "wasm") {
                corpus.push(vec![bytes]);
            } else if let Ok(text) = str::from_utf8(&bytes) {
                corpus.add_script(text);
            }
        }
        Ok(corpus)
    }

    /// Takes every module that occurs in a script, or the one module of a
    /// text file.
    pub fn add_script(&mut self, text: &str) {
        let mut modules = Vec::new();
        for form in script::split(text).0 {
            if let Ok(buffer) = script::buffer(form.text)
                && let Ok(directive) = script::directive(&buffer, &form)
            {
                collect(directive, &mut modules);
            }
        }
        self.push(modules);
    }

    /// Whether there is no module at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How many modules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.iter().map(Vec::len).sum()
    }

    fn push(&mut self, mut modules: Vec<Vec<u8>>) {
        modules.sort();
        modules.dedup();
        if !modules.is_empty() {
            self.files.push(modules);
        }
    }

    /// Leaves out the modules that `keep` does not want.
    pub fn retain(&mut self, keep: impl Fn(&[u8]) -> bool) {
        self.files.iter_mut().for_each(|modules| modules.retain(|module| keep(module)));
        self.files.retain(|modules| !modules.is_empty());
    }

    /// A module of a file, both drawn at random; nothing if there is none.
    pub fn draw(&self, rng: &mut Rng) -> &[u8] {
        rng.pick(&self.files).and_then(|file| rng.pick(file)).map_or(&[], Vec::as_slice)
    }
}

/// Adds the binaries of the modules in `directive`. Text that does not parse
/// has none; quoted malformed text is kept as text, which loading must refuse.
fn collect(directive: WastDirective<'_>, modules: &mut Vec<Vec<u8>>) {
    match directive {
        WastDirective::Module(mut wat)
        | WastDirective::ModuleDefinition(mut wat)
        | WastDirective::AssertMalformed { module: mut wat, .. }
        | WastDirective::AssertInvalid { module: mut wat, .. }
        | WastDirective::AssertMalformedCustom { module: mut wat, .. }
        | WastDirective::AssertInvalidCustom { module: mut wat, .. } => match wat.encode() {
            Ok(bytes) => modules.push(bytes),
            Err(_) => modules.extend(quoted(&mut wat)),
        },
        WastDirective::AssertUnlinkable { module: mut wat, .. }
        | WastDirective::AssertTrap { exec: WastExecute::Wat(mut wat), .. }
        | WastDirective::AssertReturn { exec: WastExecute::Wat(mut wat), .. } => {
            modules.extend(wat.encode());
        }
        WastDirective::Thread(thread) => {
            for inner in thread.directives {
                collect(inner, modules);
            }
        }
        _ => {}
    }
}

fn quoted(wat: &mut QuoteWat<'_>) -> Option<Vec<u8>> {
    match wat.to_test() {
        Ok(QuoteWatTest::Text(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Corpus;

    #[test]
    fn modules_come_from_every_kind_of_directive() {
        let mut corpus = Corpus::default();
        corpus.add_script(
            r#"(module) (module) (module definition $a (func))
               (assert_malformed (module quote "(func") "x")
               (assert_trap (module (func $f unreachable) (start $f)) "unreachable")
               (invoke "f")"#,
        );
        corpus.add_script("(memory 1)");
        assert_eq!(corpus.files.iter().map(Vec::len).collect::<Vec<_>>(), [4, 1]);
        assert_eq!(corpus.len(), 5);
        assert!(corpus.files[0].contains(&b"(func ".to_vec()));
    }
}
