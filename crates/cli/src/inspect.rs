//! `zwasm inspect`: what a module needs and what it offers.

use std::fmt::Write;

use zwasm::{Engine, ExternType, Module, Mutability};

use crate::args::Check;
use crate::failure::Failure;
use crate::json::{Format, quote, types};
use crate::module;

/// The imports and exports of the module in a file, as text or as JSON.
///
/// # Errors
/// When the file cannot be read or the module is invalid.
pub fn inspect(options: &Check) -> Result<String, Failure> {
    let engine = Engine::new(&module::config(&options.disabled))?;
    let module = module::load(&engine, &options.file)?;
    let file = options.file.to_string_lossy();
    Ok(match options.json {
        Format::Words => text(&file, &module),
        format @ (Format::Json | Format::SafeJson) => json(&file, &module, format),
    })
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
