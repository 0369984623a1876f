//! `zwasm inspect`: what a module or component needs and what it offers.

use std::fmt::Write;

use zwasm::{Engine, ExternType, Module, Mutability};
#[cfg(feature = "component")]
use zwasm_component::wit;

use crate::args::Check;
use crate::failure::Failure;
use crate::json::{Format, quote, types};
use crate::module::{self, Program};

/// The imports and exports of what is in a file, as text or as JSON. The text for a
/// component is WIT.
///
/// # Errors
/// When the file cannot be read, or what is in it is invalid.
pub fn inspect(options: &Check) -> Result<String, Failure> {
    let engine = Engine::new(&module::config(&options.disabled))?;
    let program = module::load(&engine, &options.file)?;
    let file = options.file.to_string_lossy();
    Ok(match (program, options.json) {
        (Program::Module(module), Format::Words) => text(&file, &module),
        (Program::Module(module), format) => json(&file, &module, format),
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

fn json(file: &str, module: &Module, format: Format) -> String {
    let lines = |items: &mut dyn Iterator<Item = String>| {
        let items: Vec<_> = items.map(|item| format!("\n    {item}")).collect();
        let end = if items.is_empty() { "" } else { "\n  " };
        format!("[{}{end}]", items.join(","))
    };
    let name = module.name().map_or("null".into(), |name| quote(&name));
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
    format!(
        "{{\n  \"file\": {file},\n  \"name\": {name},\n  \"imports\": {imports},\n  \
         \"exports\": {exports}\n}}\n"
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
