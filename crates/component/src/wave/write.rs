//! From values to text.

use std::fmt::Write as _;

use zwasm::{Error, Result};

use super::{KEYWORDS, MAX_DEPTH};
use crate::Val;

/// The text of a value.
///
/// # Errors
///
/// If there is a handle to a resource in it, which has no text, or it is nested too
/// deeply.
pub fn write(value: &Val) -> Result<String> {
    let mut text = String::new();
    add(&mut text, value, 0)?;
    Ok(text)
}

fn add(text: &mut String, value: &Val, depth: usize) -> Result<()> {
    if depth == MAX_DEPTH {
        return Err(Error::msg("the value is nested too deeply to be written"));
    }
    let depth = depth + 1;
    match value {
        Val::Bool(value) => add_display(text, value),
        Val::S8(value) => add_display(text, value),
        Val::U8(value) => add_display(text, value),
        Val::S16(value) => add_display(text, value),
        Val::U16(value) => add_display(text, value),
        Val::S32(value) => add_display(text, value),
        Val::U32(value) => add_display(text, value),
        Val::S64(value) => add_display(text, value),
        Val::U64(value) => add_display(text, value),
        Val::Float32(value) if value.is_nan() => text.push_str("nan"),
        Val::Float64(value) if value.is_nan() => text.push_str("nan"),
        Val::Float32(value) => add_display(text, value),
        Val::Float64(value) => add_display(text, value),
        Val::Char(value) => {
            text.push('\'');
            add_char(text, *value);
            text.push('\'');
        }
        Val::String(value) => {
            text.push('"');
            value.chars().for_each(|c| add_char(text, c));
            text.push('"');
        }
        Val::List(values) | Val::FixedLengthList(values) => add_all(text, values, '[', ']', depth)?,
        Val::Tuple(values) => add_all(text, values, '(', ')', depth)?,
        Val::Map(pairs) => {
            text.push('[');
            for (at, (key, value)) in pairs.iter().enumerate() {
                text.push_str(if at > 0 { ", (" } else { "(" });
                add(text, key, depth)?;
                text.push_str(", ");
                add(text, value, depth)?;
                text.push(')');
            }
            text.push(']');
        }
        Val::Record(fields) => {
            // Without a value, a field is not there.
            let mut fields = fields.iter().filter(|(_, value)| !matches!(value, Val::Option(None)));
            let first = fields.next();
            text.push_str(if first.is_some() { "{" } else { "{:" });
            for (at, (name, value)) in first.into_iter().chain(fields).enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                text.push_str(name);
                text.push_str(": ");
                add(text, value, depth)?;
            }
            text.push('}');
        }
        Val::Variant(name, payload) => {
            add_case(text, name);
            add_payload(text, payload.as_deref(), depth)?;
        }
        Val::Enum(name) => add_case(text, name),
        Val::Option(None) => text.push_str("none"),
        Val::Option(value) => {
            text.push_str("some");
            add_payload(text, value.as_deref(), depth)?;
        }
        Val::Result(result) => {
            let (name, payload) = match result {
                Ok(payload) => ("ok", payload),
                Err(payload) => ("err", payload),
            };
            text.push_str(name);
            add_payload(text, payload.as_deref(), depth)?;
        }
        Val::Flags(names) => {
            text.push('{');
            text.push_str(&names.join(", "));
            text.push('}');
        }
        Val::Resource(_) => {
            return Err(Error::msg("a resource cannot be written as text"));
        }
        Val::Stream(_) | Val::Future(_) | Val::ErrorContext(_) => {
            return Err(Error::msg("a handle cannot be written as text"));
        }
    }
    Ok(())
}

fn add_display(text: &mut String, value: &dyn std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{value}");
}

fn add_char(text: &mut String, c: char) {
    if c.is_control() && !matches!(c, '\t' | '\r' | '\n') {
        text.extend(c.escape_unicode());
    } else {
        text.extend(c.escape_debug());
    }
}

fn add_case(text: &mut String, name: &str) {
    if KEYWORDS.contains(&name) {
        text.push('%');
    }
    text.push_str(name);
}

fn add_payload(text: &mut String, payload: Option<&Val>, depth: usize) -> Result<()> {
    if let Some(value) = payload {
        text.push('(');
        add(text, value, depth)?;
        text.push(')');
    }
    Ok(())
}

fn add_all(text: &mut String, values: &[Val], open: char, close: char, depth: usize) -> Result<()> {
    text.push(open);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        add(text, value, depth)?;
    }
    text.push(close);
    Ok(())
}
