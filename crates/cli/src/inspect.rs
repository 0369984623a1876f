//! `zwasm inspect`: what a module or component needs and what it offers, and what is in it.

use std::fmt::Write;

use zwasm::{Engine, ExternType, Feature, Module, Mutability};
#[cfg(feature = "component")]
use zwasm_component::wit;

use crate::args::{Check, Switch};
use crate::failure::Failure;
use crate::json::{Format, array, quote, types};
use crate::module::{self, Program};
use crate::sections::{Section, memories, producers, sections, target_features};

/// The imports and exports of what is in a file, as text or as JSON. The text for a
/// component is WIT.
///
/// # Errors
/// When the file cannot be read, or what is in it is invalid.
pub fn inspect(options: &Check) -> Result<String, Failure> {
    let engine = Engine::new(&module::config(&options.features))?;
    let program = module::load(&engine, &options.file)?;
    let file = options.file.to_string_lossy();
    Ok(match (program, options.json) {
        (Program::Module(module), Format::Words) => {
            let contents = Contents::of(&module, &options.features);
            text(&file, &module) + &contents.text()
        }
        (Program::Module(module), format) => {
            json(&file, &module, &Contents::of(&module, &options.features), format)
        }
        #[cfg(feature = "component")]
        (Program::Component(component), Format::Words) => wit::text(&component.component_type()),
        #[cfg(feature = "component")]
        (Program::Component(component), format) => component_json(&file, &component, format),
    })
}

#[cfg(feature = "component")]
fn component_json(file: &str, component: &zwasm_component::Component, format: Format) -> String {
    let style = wit::Style { quote, core: &|core| ty(core, format) };
    let [imports, exports] = wit::json(&component.component_type(), &style).map(|items| {
        let items: Vec<_> = items.iter().map(|item| format!("\n    {item}")).collect();
        let end = if items.is_empty() { "" } else { "\n  " };
        format!("[{}{end}]", items.join(","))
    });
    format!(
        "{{\n  \"file\": {},\n  \"kind\": \"component\",\n  \"imports\": {imports},\n  \
         \"exports\": {exports}\n}}\n",
        quote(file)
    )
}

fn text(file: &str, module: &Module) -> String {
    let mut text = file.escape_debug().to_string();
    if let Some(name) = module.name() {
        text.push_str(&format!(" (module {})", name.escape_debug()));
    }
    let list =
        |text: &mut String, title: &str, items: &mut dyn Iterator<Item = (String, ExternType)>| {
            text.push_str(title);
            let mut none = true;
            for (name, ty) in items {
                // Writing to a String cannot fail.
                let _ = write!(text, "\n  {name}: {ty}");
                none = false;
            }
            if none {
                text.push_str(" none");
            }
        };
    let imports = module.imports();
    let mut imports = imports.map(|import| {
        (format!("{}.{}", shown(import.module()), shown(import.name())), import.ty())
    });
    list(&mut text, "\nimports:", &mut imports);
    let mut exports = module.exports().map(|export| (shown(export.name()), export.ty()));
    list(&mut text, "\nexports:", &mut exports);
    text.push('\n');
    text
}

/// What a binary is made of.
struct Contents<'a> {
    size: usize,
    sections: Vec<Section<'a>>,
    /// Features of WebAssembly without which it would be invalid.
    needed: Vec<Feature>,
}

impl<'a> Contents<'a> {
    fn of(module: &'a Module, features: &[Switch]) -> Self {
        let binary = module.binary();
        let mut needed = Needed { binary, features: features.to_vec(), needed: Vec::new() };
        let is_off = |feature: &Feature| {
            features.iter().rfind(|switch| switch.0 == *feature).is_some_and(|switch| !switch.1)
        };
        let others = Feature::ALL.iter().filter(|feature| !is_off(feature));
        needed.search(&others.copied().collect::<Vec<_>>());
        Contents { size: binary.len(), sections: sections(binary), needed: needed.needed }
    }

    fn text(&self) -> String {
        let mut text = format!("sections: {} bytes in all", self.size);
        for Section { name, is_custom, offset, contents, count } in &self.sections {
            let name = match is_custom {
                true => format!("custom \"{}\"", name.escape_debug()),
                false => (*name).to_owned(),
            };
            let _ = write!(text, "\n  {name}: ");
            // Writing to a String cannot fail; likewise below.
            if let Some(count) = count {
                let plural = if *count == 1 { "y" } else { "ies" };
                let _ = write!(text, "{count} entr{plural}, ");
            }
            let _ = write!(text, "{} bytes at {offset:#x}", contents.len());
        }
        for (index, memory) in memories(&self.sections).iter().enumerate() {
            let bytes = |pages: u64| match pages.checked_mul(memory.page) {
                Some(bytes) if bytes >> 20 > 0 => format!("{} MB", bytes >> 20),
                Some(bytes) => format!("{} KB", bytes >> 10),
                None => "all".into(),
            };
            let maximum = memory.maximum.map_or("any size".into(), bytes);
            let _ = write!(text, "\nown memory {index}: {} to {maximum}", bytes(memory.minimum));
        }
        let list = |text: &mut String, title: &str, words: &mut dyn Iterator<Item = String>| {
            let words: Vec<_> = words.collect();
            let none = if words.is_empty() { " none" } else { "" };
            let _ = write!(text, "\n{title}:{none}");
            words.iter().for_each(|word| *text += &format!(" {word}"));
        };
        list(
            &mut text,
            "features needed",
            &mut self.needed.iter().map(|feature| feature.name().to_owned()),
        );
        for (field, values) in producers(&self.sections) {
            let mut values = values.iter().map(|(name, version)| {
                let end = if version.is_empty() { "" } else { " " };
                format!("\"{}{end}{}\"", name.escape_debug(), version.escape_debug())
            });
            list(&mut text, &field.escape_debug().to_string(), &mut values);
        }
        let target = target_features(&self.sections);
        if !target.is_empty() {
            let mut names = target.iter().map(|name| name.escape_debug().to_string());
            list(&mut text, "compiled for", &mut names);
        }
        text.push('\n');
        text
    }

    /// The fields of an object.
    fn json(&self, format: Format) -> String {
        let number = |number: u64| format.number(number);
        let sections = self.sections.iter().map(|section| {
            let name = if section.is_custom { "custom" } else { "name" };
            format!(
                "\n    {{\"{name}\": {}, \"offset\": {}, \"size\": {}, \"count\": {}}}",
                quote(section.name),
                number(section.offset as u64),
                number(section.contents.len() as u64),
                section.count.map_or("null".into(), number)
            )
        });
        let memories = memories(&self.sections).into_iter().map(|memory| {
            format!(
                "{{\"minimum\": {}, \"maximum\": {}, \"page_size\": {}}}",
                number(memory.minimum),
                memory.maximum.map_or("null".into(), number),
                number(memory.page)
            )
        });
        let producers = producers(&self.sections).into_iter().map(|(field, values)| {
            let values = values.iter().map(|(name, version)| {
                format!("{{\"name\": {}, \"version\": {}}}", quote(name), quote(version))
            });
            format!("{{\"field\": {}, \"values\": {}}}", quote(field), array(values))
        });
        let needed = self.needed.iter().map(|feature| quote(feature.name()));
        let target = target_features(&self.sections).into_iter().map(quote);
        let sections: Vec<_> = sections.collect();
        format!(
            "\"size\": {},\n  \"sections\": [{}\n  ],\n  \"own_memories\": {},\n  \
             \"features_needed\": {},\n  \"producers\": {},\n  \"compiled_for\": {}",
            number(self.size as u64),
            sections.join(","),
            array(memories),
            array(needed),
            array(producers),
            array(target)
        )
    }
}

/// The search for the features that a binary needs.
struct Needed<'a> {
    binary: &'a [u8],
    /// Those that it is valid without are off.
    features: Vec<Switch>,
    needed: Vec<Feature>,
}

impl Needed<'_> {
    /// Tries some features: those that can be left out together are done with, others are
    /// tried by halves. What is invalid is found so soon, and the rest is mostly valid at
    /// the first try.
    fn search(&mut self, some: &[Feature]) {
        let known = self.features.len();
        self.features.extend(some.iter().map(|feature| (*feature, false)));
        let engine = Engine::new(&module::config(&self.features));
        if engine.is_ok_and(|engine| Module::validate(&engine, self.binary).is_ok()) {
            return;
        }
        self.features.truncate(known);
        match some {
            [] => {}
            [one] => self.needed.push(*one),
            _ => {
                let (first, second) = some.split_at(some.len() / 2);
                self.search(first);
                self.search(second);
            }
        }
    }
}

fn json(file: &str, module: &Module, contents: &Contents<'_>, format: Format) -> String {
    let lines = |items: &mut dyn Iterator<Item = String>| {
        let items: Vec<_> = items.map(|item| format!("\n    {item}")).collect();
        let end = if items.is_empty() { "" } else { "\n  " };
        format!("[{}{end}]", items.join(","))
    };
    let name = module.name().map_or("null".into(), quote);
    let imports = lines(&mut module.imports().map(|import| {
        let (module, name) = (quote(import.module()), quote(import.name()));
        format!("{{\"module\": {module}, \"name\": {name}, {}}}", ty(&import.ty(), format))
    }));
    let exports = lines(
        &mut module
            .exports()
            .map(|export| (quote(export.name()), ty(&export.ty(), format)))
            .map(|(name, ty)| format!("{{\"name\": {name}, {ty}}}")),
    );
    let file = quote(file);
    let contents = contents.json(format);
    format!(
        "{{\n  \"file\": {file},\n  \"name\": {name},\n  \"imports\": {imports},\n  \
         \"exports\": {exports},\n  {contents}\n}}\n"
    )
}

/// A name, of which no letter is lost; one of none would not be seen.
fn shown(name: &str) -> String {
    if name.is_empty() { "\"\"".into() } else { name.escape_debug().to_string() }
}

/// The fields that describe a type.
fn ty(ty: &ExternType, format: Format) -> String {
    let maximum = |maximum: Option<u64>| maximum.map_or("null".into(), |max| format.number(max));
    match ty {
        ExternType::Func(ty) => format!(
            "\"kind\": \"func\", \"params\": {}, \"results\": {}",
            types(ty.params()),
            types(ty.results())
        ),
        ExternType::Table(ty) => format!(
            "\"kind\": \"table\", \"element\": {}, \"minimum\": {}, \"maximum\": {}, \
             \"index\": \"{}\"",
            quote(&ty.element().to_string()),
            format.number(ty.minimum()),
            maximum(ty.maximum()),
            index(ty.is_64())
        ),
        ExternType::Memory(ty) => format!(
            "\"kind\": \"memory\", \"minimum\": {}, \"maximum\": {}, \"index\": \"{}\", \
             \"shared\": {}, \"page_size\": {}",
            format.number(ty.minimum()),
            maximum(ty.maximum()),
            index(ty.is_64()),
            ty.is_shared(),
            ty.page_size()
        ),
        ExternType::Global(ty) => format!(
            "\"kind\": \"global\", \"type\": {}, \"mutable\": {}",
            quote(&ty.content().to_string()),
            ty.mutability() == Mutability::Var
        ),
        ExternType::Tag(ty) => {
            format!("\"kind\": \"tag\", \"params\": {}", types(ty.ty().params()))
        }
    }
}

fn index(is_64: bool) -> &'static str {
    if is_64 { "i64" } else { "i32" }
}
