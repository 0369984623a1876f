//! A whole component as JSON, for programs.
//!
//! A type is a string if it is a number, a string or the like, else an object whose first
//! name tells what it is. Types that have names in their interface are references to
//! them, so that a program need not compare types; resources have a number each, for
//! interfaces know one by different names.

use std::collections::HashMap;

use super::{Key, MAX_DEPTH, MAX_TEXT};
use crate::ResourceType;
use crate::types::{Component, ComponentFunc, ComponentItem, Type};

/// How whoever asks writes JSON.
pub struct Style<'a> {
    /// A text with its quotes.
    pub quote: fn(&str) -> String,
    /// The fields that describe a type of a core module's import or export.
    pub core: &'a dyn Fn(&zwasm::ExternType) -> String,
}

/// What a component imports and exports: items of two arrays.
pub fn json(component: &Component, style: &Style<'_>) -> [Vec<String>; 2] {
    let mut json = Json { style, names: HashMap::new(), resources: HashMap::new(), room: MAX_TEXT };
    let imports = json.items(component.imports(), 0);
    [imports, json.items(component.exports(), 0)]
}

struct Json<'a> {
    style: &'a Style<'a>,
    /// The names of the interface at hand.
    names: HashMap<Key, String>,
    resources: HashMap<ResourceType, usize>,
    /// Bytes that may still be written.
    room: usize,
}

impl Json<'_> {
    fn items<'b>(
        &mut self,
        items: impl Iterator<Item = (&'b str, ComponentItem)>,
        depth: usize,
    ) -> Vec<String> {
        let items: Vec<_> = items.collect();
        let mut names = HashMap::new();
        for (name, item) in &items {
            if let ComponentItem::Type(ty) = item
                && let Some(key) = Key::of(ty)
            {
                names.entry(key).or_insert_with(|| (*name).to_owned());
            }
        }
        let outer = std::mem::replace(&mut self.names, names);
        let items = items.iter().map(|(name, item)| self.item(name, item, depth)).collect();
        self.names = outer;
        items
    }

    fn item(&mut self, name: &str, item: &ComponentItem, depth: usize) -> String {
        let name = (self.style.quote)(name);
        let fields = match item {
            ComponentItem::ComponentFunc(func) => self.func(func),
            ComponentItem::CoreFunc(func) => {
                (self.style.core)(&zwasm::ExternType::Func(func.clone()))
            }
            ComponentItem::Module(module) => {
                let imports = module.imports().map(|(from, name, ty)| {
                    let [from, name] = [from, name].map(self.style.quote);
                    format!("{{\"module\": {from}, \"name\": {name}, {}}}", (self.style.core)(&ty))
                });
                let imports = array(imports);
                let exports = module.exports().map(|(name, ty)| {
                    let name = (self.style.quote)(name);
                    format!("{{\"name\": {name}, {}}}", (self.style.core)(&ty))
                });
                let exports = array(exports);
                format!("\"kind\": \"module\", \"imports\": {imports}, \"exports\": {exports}")
            }
            ComponentItem::Component(_) | ComponentItem::ComponentInstance(_)
                if depth == MAX_DEPTH =>
            {
                "\"kind\": null".into()
            }
            ComponentItem::Component(component) => {
                let imports = array(self.items(component.imports(), depth + 1));
                let exports = array(self.items(component.exports(), depth + 1));
                format!("\"kind\": \"component\", \"imports\": {imports}, \"exports\": {exports}")
            }
            ComponentItem::ComponentInstance(instance) => {
                let exports = array(self.items(instance.exports(), depth + 1));
                format!("\"kind\": \"instance\", \"exports\": {exports}")
            }
            ComponentItem::Type(ty) => {
                let ty = self.definition(ty, 0);
                format!("\"kind\": \"type\", \"type\": {ty}")
            }
            ComponentItem::Resource(resource) => {
                format!("\"kind\": \"resource\", \"resource\": {}", self.resource(*resource))
            }
        };
        self.count(format!("{{\"name\": {name}, {fields}}}"))
    }

    fn func(&mut self, func: &ComponentFunc) -> String {
        let params = func.params().map(|(name, ty)| {
            let (name, ty) = ((self.style.quote)(name), self.ty(&ty, 0));
            format!("{{\"name\": {name}, \"type\": {ty}}}")
        });
        let params = array(params);
        let result = func.results().next().map_or("null".into(), |ty| self.ty(&ty, 0));
        format!("\"kind\": \"func\", \"params\": {params}, \"result\": {result}")
    }

    fn resource(&mut self, resource: ResourceType) -> usize {
        let next = self.resources.len();
        *self.resources.entry(resource).or_insert(next)
    }

    /// A text, for which there has to be room; `null` else.
    fn count(&mut self, text: String) -> String {
        match self.room.checked_sub(text.len()) {
            Some(room) => {
                self.room = room;
                text
            }
            None => {
                self.room = 0;
                "null".into()
            }
        }
    }

    fn ty(&mut self, ty: &Type, depth: usize) -> String {
        match Key::of(ty).and_then(|key| self.names.get(&key)) {
            Some(name) => format!("{{\"ref\": {}}}", (self.style.quote)(name)),
            None => self.definition(ty, depth),
        }
    }

    fn optional(&mut self, ty: Option<Type>, depth: usize) -> String {
        ty.map_or("null".into(), |ty| self.ty(&ty, depth))
    }

    fn definition(&mut self, ty: &Type, depth: usize) -> String {
        if depth == MAX_DEPTH || self.room == 0 {
            return "null".into();
        }
        let depth = depth + 1;
        let quote = self.style.quote;
        let text = match ty {
            Type::Bool
            | Type::S8
            | Type::U8
            | Type::S16
            | Type::U16
            | Type::S32
            | Type::U32
            | Type::S64
            | Type::U64
            | Type::Float32
            | Type::Float64
            | Type::Char
            | Type::String
            | Type::ErrorContext => quote(&ty.to_string()),
            Type::Own(resource) => format!("{{\"own\": {}}}", self.resource(*resource)),
            Type::Borrow(resource) => format!("{{\"borrow\": {}}}", self.resource(*resource)),
            Type::List(list) => format!("{{\"list\": {}}}", self.ty(&list.ty(), depth)),
            Type::FixedLengthList(list) => {
                let length = list.len();
                format!("{{\"list\": {}, \"length\": {length}}}", self.ty(&list.ty(), depth))
            }
            Type::Stream(stream) => {
                format!("{{\"stream\": {}}}", self.optional(stream.ty(), depth))
            }
            Type::Future(future) => {
                format!("{{\"future\": {}}}", self.optional(future.ty(), depth))
            }
            Type::Map(map) => {
                let (key, value) = (self.ty(&map.key(), depth), self.ty(&map.value(), depth));
                format!("{{\"map\": [{key}, {value}]}}")
            }
            Type::Option(option) => format!("{{\"option\": {}}}", self.ty(&option.ty(), depth)),
            Type::Tuple(tuple) => {
                let types = array(tuple.types().map(|ty| self.ty(&ty, depth)));
                format!("{{\"tuple\": {types}}}")
            }
            Type::Result(result) => {
                let ok = self.optional(result.ok(), depth);
                let err = self.optional(result.err(), depth);
                format!("{{\"result\": {{\"ok\": {ok}, \"err\": {err}}}}}")
            }
            Type::Record(record) => {
                let fields = record.fields().map(|field| {
                    let (name, ty) = (quote(field.name), self.ty(&field.ty, depth));
                    format!("{{\"name\": {name}, \"type\": {ty}}}")
                });
                format!("{{\"record\": {}}}", array(fields))
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| {
                    let (name, ty) = (quote(case.name), self.optional(case.ty, depth));
                    format!("{{\"name\": {name}, \"type\": {ty}}}")
                });
                format!("{{\"variant\": {}}}", array(cases))
            }
            Type::Enum(names) => format!("{{\"enum\": {}}}", array(names.names().map(quote))),
            Type::Flags(names) => format!("{{\"flags\": {}}}", array(names.names().map(quote))),
        };
        self.count(text)
    }
}

fn array(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    format!("[{}]", items.join(", "))
}
