//! A whole component as WIT: the world that it is made for, and the interfaces it names,
//! by packages.
//!
//! An interface is written when it is met, so that it knows the types of those before
//! it; what it has of them it `use`s. Functions of a resource stand within it. What WIT
//! has no words for, core modules and components, is a comment.

use std::collections::HashMap;

use super::{Form, Key, MAX_DEPTH, MAX_TEXT, Names, Writer, identifier};
use crate::ResourceType;
use crate::types::{Component, ComponentFunc, ComponentItem, Type};

/// What a component imports and exports, as WIT that can be read back as far as WIT has
/// words for it.
pub fn text(component: &Component) -> String {
    let mut document = Document::default();
    let world = document.world(component);
    let mut text = format!("package root:component;\n\nworld root {{\n{world}}}\n");
    for package in document.packages {
        text.push_str(&format!("\npackage {} {{\n", package.name));
        for (at, (head, body)) in package.interfaces.iter().enumerate() {
            let between = if at > 0 { "\n" } else { "" };
            text.push_str(&format!("{between}{head} {{\n{body}  }}\n"));
        }
        text.push_str("}\n");
    }
    if document.room == 0 {
        text.push_str("// The rest is left out: the text would be too long.\n");
    }
    text
}

/// The interfaces found so far.
struct Document {
    packages: Vec<Package>,
    package_by_name: HashMap<String, usize>,
    /// The place of an interface: its package, and its place there.
    interface_by_name: HashMap<String, (usize, usize)>,
    /// Where a type has its first name.
    homes: HashMap<Key, Home>,
    /// Bytes that may still be written.
    room: usize,
}

impl Default for Document {
    fn default() -> Document {
        Document {
            packages: Vec::new(),
            package_by_name: HashMap::new(),
            interface_by_name: HashMap::new(),
            homes: HashMap::new(),
            room: MAX_TEXT,
        }
    }
}

struct Package {
    name: String,
    /// Heads and contents, in order.
    interfaces: Vec<(String, String)>,
}

/// Where a type is defined.
#[derive(Clone)]
struct Home {
    /// The interface's name; none if nobody can use its types.
    interface: Option<String>,
    name: String,
}

/// What is being written: a world, or an interface.
struct Scope<'a> {
    homes: &'a HashMap<Key, Home>,
    /// The package, whose interfaces need no more than their last name.
    package: Option<&'a str>,
    names: HashMap<Key, String>,
    /// What is used of other interfaces, by their names.
    uses: Vec<(String, Vec<String>)>,
    uses_of: HashMap<String, usize>,
}

impl<'a> Scope<'a> {
    fn new(homes: &'a HashMap<Key, Home>, package: Option<&'a str>) -> Scope<'a> {
        let (names, uses_of) = (HashMap::new(), HashMap::new());
        Scope { homes, package, names, uses: Vec::new(), uses_of }
    }

    /// Has a type of another interface under a name.
    fn use_type(&mut self, key: Key, interface: &str, theirs: &str, ours: &str) {
        let at = *self.uses_of.entry(interface.to_owned()).or_insert_with(|| {
            self.uses.push((interface.to_owned(), Vec::new()));
            self.uses.len() - 1
        });
        self.uses[at].1.push(match theirs == ours {
            true => identifier(ours),
            false => format!("{} as {}", identifier(theirs), identifier(ours)),
        });
        self.names.entry(key).or_insert_with(|| identifier(ours));
    }

    /// The lines that say what is used.
    fn uses(&self, indent: &str) -> String {
        let mut text = String::new();
        for (interface, names) in &self.uses {
            let (package, last) = path(interface).unwrap_or(("", interface));
            let path = match Some(package) == self.package {
                true => &identifier(last),
                false => interface,
            };
            text.push_str(&format!("{indent}use {path}.{{{}}};\n", names.join(", ")));
        }
        text
    }
}

impl Names for Scope<'_> {
    /// A type that another interface defines is used from there.
    fn name(&mut self, key: Key) -> Option<String> {
        if let Some(name) = self.names.get(&key) {
            return Some(name.clone());
        }
        let home = self.homes.get(&key)?;
        match &home.interface {
            Some(interface) => {
                self.use_type(key, interface, &home.name, &home.name);
                self.names.get(&key).cloned()
            }
            // It has a name, though none that can be said here.
            None => matches!(key, Key::Resource(_)).then(|| identifier(&home.name)),
        }
    }
}

/// What a name of a function says.
fn function_name(name: &str) -> (Form, Option<&str>, &str) {
    let of_resource = |form, rest: &'_ str| -> Option<(Form, usize)> {
        rest.find('.').map(|dot| (form, name.len() - rest.len() + dot))
    };
    let split = if let Some(rest) = name.strip_prefix("[method]") {
        of_resource(Form::Method, rest)
    } else if let Some(rest) = name.strip_prefix("[static]") {
        of_resource(Form::Static, rest)
    } else if let Some(resource) = name.strip_prefix("[constructor]") {
        return (Form::Constructor, Some(resource), "");
    } else {
        None
    };
    match split {
        Some((form, dot)) => {
            let start = name.find(']').map_or(0, |end| end + 1);
            (form, Some(&name[start..dot]), &name[dot + 1..])
        }
        None => (Form::Function, None, name),
    }
}

/// The package, with its version, and the last part of an interface's name.
fn path(name: &str) -> Option<(&str, &str)> {
    let (path, _) = name.split_once('@').unwrap_or((name, ""));
    let slash = path.rfind('/')?;
    path[..slash].contains(':').then_some((&name[..slash], &path[slash + 1..]))
}

/// The name of an interface's package.
fn package_of(name: &str) -> Option<(String, &str)> {
    let (package, last) = path(name)?;
    let version = name.split_once('@').map_or(String::new(), |(_, version)| format!("@{version}"));
    Some((format!("{package}{version}"), last))
}

impl Document {
    /// The lines of a world.
    fn world(&mut self, component: &Component) -> String {
        let imports: Vec<_> = component.imports().collect();
        let exports: Vec<_> = component.exports().collect();
        let mut body = String::new();
        for (direction, items) in [("import", &imports), ("export", &exports)] {
            let mut own = Vec::new();
            for (name, item) in items {
                match item {
                    ComponentItem::ComponentInstance(instance) => {
                        // What is written before it is found by it.
                        self.flush(direction, &mut own, &mut body);
                        let exports: Vec<_> = instance.exports().collect();
                        body.push_str(&self.interface(direction, name, &exports));
                    }
                    _ => own.push((*name, item.clone())),
                }
            }
            self.flush(direction, &mut own, &mut body);
        }
        body
    }

    /// The lines of items that are in no interface.
    fn flush(
        &mut self,
        direction: &str,
        items: &mut Vec<(&str, ComponentItem)>,
        body: &mut String,
    ) {
        if !items.is_empty() {
            let prefix = format!("{direction} ");
            body.push_str(&self.body(&std::mem::take(items), None, None, &prefix, "  ", 0));
        }
    }

    /// Writes an interface where it belongs; the line that names it in the world.
    fn interface(
        &mut self,
        direction: &str,
        name: &str,
        exports: &[(&str, ComponentItem)],
    ) -> String {
        let Some((package, last)) = package_of(name) else {
            let body = self.body(exports, None, None, "", "    ", 0);
            let name = identifier(name);
            return format!("  {direction} {name}: interface {{\n{body}  }}\n");
        };
        let body = self.body(exports, Some(name), Some(&package), "", "    ", 0);
        let packages = &mut self.packages;
        let at = *self.package_by_name.entry(package.clone()).or_insert_with(|| {
            packages.push(Package { name: package, interfaces: Vec::new() });
            packages.len() - 1
        });
        let head = format!("  interface {}", identifier(last));
        // A component may export an interface that it imports, and not all of it.
        match self.interface_by_name.get(name) {
            Some(&(package, at)) if packages[package].interfaces[at].1 == body => {}
            Some(_) => {
                packages[at].interfaces.push((format!("  // As it is exported:\n{head}"), body))
            }
            None => {
                self.interface_by_name.insert(name.into(), (at, packages[at].interfaces.len()));
                packages[at].interfaces.push((head, body));
            }
        }
        format!("  {direction} {name};\n")
    }

    /// The lines of items: of an interface, or of a world with a word before each.
    fn body(
        &mut self,
        items: &[(&str, ComponentItem)],
        interface: Option<&str>,
        package: Option<&str>,
        prefix: &str,
        indent: &str,
        depth: usize,
    ) -> String {
        let homes = std::mem::take(&mut self.homes);
        let mut scope = Scope::new(&homes, package.and_then(|name| name.split('@').next()));
        // What the items define themselves.
        let mut defined: HashMap<&str, Key> = HashMap::new();
        let mut functions: HashMap<&str, Vec<(Form, &str, &ComponentFunc)>> = HashMap::new();
        for (name, item) in items {
            let key = match item {
                ComponentItem::Type(ty) => Key::of(ty),
                ComponentItem::Resource(resource) => Some(Key::Resource(*resource)),
                ComponentItem::ComponentFunc(func) => {
                    if let (form, Some(resource), name) = function_name(name) {
                        functions.entry(resource).or_default().push((form, name, func));
                    }
                    continue;
                }
                _ => continue,
            };
            let Some(key) = key else { continue };
            // Of types that only look the same, those of one name are one.
            let home = homes.get(&key).filter(|home| {
                home.interface.as_deref() != interface
                    && (matches!(key, Key::Resource(_)) || home.name == *name)
            });
            match home {
                Some(Home { interface: Some(interface), name: theirs }) => {
                    scope.use_type(key, interface, theirs, name);
                }
                _ => {
                    scope.names.entry(key).or_insert_with(|| identifier(name));
                    defined.insert(name, key);
                }
            }
        }
        let mut text = String::new();
        for (name, item) in items {
            let limit = self.room.saturating_sub(text.len());
            if limit == 0 {
                break;
            }
            let mut lines = Lines { scope: &mut scope, limit, indent };
            match item {
                ComponentItem::Type(ty) => match Key::of(ty) {
                    Some(_) if !defined.contains_key(name) => {}
                    _ => text.push_str(&lines.ty(name, ty)),
                },
                ComponentItem::Resource(resource) => {
                    if defined.contains_key(name) {
                        let functions = functions.remove(name).unwrap_or_default();
                        text.push_str(&lines.resource(name, *resource, functions));
                    }
                }
                ComponentItem::ComponentFunc(func) => {
                    let owner = function_name(name).1;
                    if owner.is_none_or(|owner| !defined.contains_key(owner)) {
                        text.push_str(&lines.func(prefix, name, func));
                    }
                }
                ComponentItem::CoreFunc(_)
                | ComponentItem::Module(_)
                | ComponentItem::Component(_) => {
                    text.push_str(&comment(name, item, prefix, indent))
                }
                ComponentItem::ComponentInstance(instance) if depth < MAX_DEPTH => {
                    let exports: Vec<_> = instance.exports().collect();
                    // Interfaces within interfaces are none of WIT's, yet clear.
                    let mut inner = Document { room: limit, ..Document::default() };
                    let deeper = format!("{indent}  ");
                    let body = inner.body(&exports, None, None, "", &deeper, depth + 1);
                    let name = identifier(name);
                    text.push_str(&format!(
                        "{indent}{prefix}{name}: interface {{\n{body}{indent}}}\n"
                    ));
                }
                ComponentItem::ComponentInstance(_) => {
                    text.push_str(&comment(name, item, prefix, indent));
                }
            }
        }
        text.insert_str(0, &scope.uses(indent));
        self.room = self.room.saturating_sub(text.len());
        drop(scope);
        self.homes = homes;
        for (name, _) in items {
            if let Some(key) = defined.get(name) {
                let home =
                    || Home { interface: interface.map(str::to_owned), name: (*name).into() };
                self.homes.entry(*key).or_insert_with(home);
            }
        }
        text
    }
}

/// A line on what WIT has no words for.
fn comment(name: &str, item: &ComponentItem, prefix: &str, indent: &str) -> String {
    let name = name.escape_debug();
    let mut text = format!("{indent}// {prefix}{name}: {item}\n");
    if let ComponentItem::Module(module) = item {
        for (from, name, ty) in module.imports() {
            let (from, name) = (from.escape_debug(), name.escape_debug());
            text.push_str(&format!("{indent}//   import {from}.{name}: {ty}\n"));
        }
        for (name, ty) in module.exports() {
            text.push_str(&format!("{indent}//   export {}: {ty}\n", name.escape_debug()));
        }
    }
    text
}

/// Writes the declarations of a scope.
struct Lines<'a, 'b> {
    scope: &'a mut Scope<'b>,
    limit: usize,
    indent: &'a str,
}

impl Lines<'_, '_> {
    fn write(&mut self, write: impl FnOnce(&mut Writer<'_>)) -> String {
        let mut writer = Writer::new(self.scope, self.limit);
        write(&mut writer);
        writer.finish()
    }

    /// `record person { … }`, or `type size = u64`.
    fn ty(&mut self, name: &str, ty: &Type) -> String {
        let indent = self.indent;
        let name = identifier(name);
        let first = Key::of(ty).and_then(|key| self.scope.names.get(&key)).cloned();
        if let Some(first) = first.as_ref().filter(|first| **first != name) {
            return format!("{indent}type {name} = {first};\n");
        }
        let item = |text: String| format!("{indent}  {text},\n");
        let (kind, items): (_, Vec<String>) = match ty {
            Type::Record(record) => {
                let fields = record.fields();
                let each = |field: crate::types::Field<'_>| {
                    item(self.write(|writer| writer.field(field.name, &field.ty)))
                };
                ("record", fields.map(each).collect())
            }
            Type::Variant(variant) => {
                let cases = variant.cases();
                let each = |case: crate::types::Case<'_>| {
                    item(self.write(|writer| writer.case(case.name, case.ty.as_ref())))
                };
                ("variant", cases.map(each).collect())
            }
            Type::Enum(names) => {
                ("enum", names.names().map(|name| item(identifier(name))).collect())
            }
            Type::Flags(names) => {
                ("flags", names.names().map(|name| item(identifier(name))).collect())
            }
            _ => {
                let definition = self.write(|writer| writer.definition(ty));
                return format!("{indent}type {name} = {definition};\n");
            }
        };
        format!("{indent}{kind} {name} {{\n{}{indent}}}\n", items.concat())
    }

    fn resource(
        &mut self,
        name: &str,
        resource: ResourceType,
        functions: Vec<(Form, &str, &ComponentFunc)>,
    ) -> String {
        let indent = self.indent;
        let name = identifier(name);
        let first = self.scope.names.get(&Key::Resource(resource));
        if let Some(first) = first.filter(|first| **first != name) {
            return format!("{indent}type {name} = {first};\n");
        }
        if functions.is_empty() {
            return format!("{indent}resource {name};\n");
        }
        let mut text = format!("{indent}resource {name} {{\n");
        for (form, name, func) in functions {
            let func = self.write(|writer| writer.func(func, form));
            match form {
                Form::Constructor => text.push_str(&format!("{indent}  {func};\n")),
                _ => text.push_str(&format!("{indent}  {}: {func};\n", identifier(name))),
            }
        }
        text.push_str(&format!("{indent}}}\n"));
        text
    }

    fn func(&mut self, prefix: &str, name: &str, func: &ComponentFunc) -> String {
        let func = self.write(|writer| writer.func(func, Form::Function));
        format!("{}{prefix}{}: {func};\n", self.indent, identifier(name))
    }
}
