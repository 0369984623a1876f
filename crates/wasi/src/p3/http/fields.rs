//! `fields`: what is not as in 0.2, which is how it fails.

use zwasm_component::Resource;

use crate::http::fields::{FieldError, Fields};
use crate::p2::WasiCtxView;
use crate::p2::http::fields::{Headers, no_room};
use crate::p2::table::{Answer, Failed};
use crate::p2::wit::wit_variant;

wit_variant! {
    /// Why a field can not be set.
    #[derive(PartialEq, Eq, Debug)]
    HeaderError {
        InvalidSyntax = "invalid-syntax",
        Forbidden = "forbidden",
        Immutable = "immutable",
        SizeExceeded = "size-exceeded",
        Other(why: Option<String>) = "other",
    }
}

impl From<FieldError> for Failed<HeaderError> {
    fn from(error: FieldError) -> Failed<HeaderError> {
        Failed::With(match error {
            FieldError::Syntax => HeaderError::InvalidSyntax,
            FieldError::Forbidden => HeaderError::Forbidden,
            FieldError::TooLarge => HeaderError::SizeExceeded,
        })
    }
}

type HeaderAnswer<T = ()> = Answer<T, HeaderError>;

pub(super) fn fields_from_list(
    cx: &mut WasiCtxView<'_>,
    entries: Vec<(String, Vec<u8>)>,
) -> HeaderAnswer<Resource<Headers>> {
    let mut fields = Fields::new(&cx.ctx.0.host.budget).ok_or_else(no_room)?;
    for (name, value) in entries {
        append(&mut fields, &name, value)?;
    }
    Ok(cx.push(Headers { fields, mutable: true })?)
}

/// Adds a value. A name is written as it was first.
fn append(fields: &mut Fields, name: &str, value: Vec<u8>) -> std::result::Result<(), FieldError> {
    let first = fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    let first = first.map(|(own, _)| own.to_owned());
    fields.append(first.as_deref().unwrap_or(name), value)
}

/// Changes fields that the guest may change.
fn change<R>(
    cx: &mut WasiCtxView<'_>,
    fields: &Resource<Headers>,
    change: impl FnOnce(&mut Fields) -> std::result::Result<R, FieldError>,
) -> HeaderAnswer<R> {
    let headers = cx.table.get_mut(fields)?;
    if !headers.mutable {
        return Err(Failed::With(HeaderError::Immutable));
    }
    Ok(change(&mut headers.fields)?)
}

pub(super) fn set_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
    values: Vec<Vec<u8>>,
) -> HeaderAnswer {
    change(cx, &fields, |fields| fields.set(&name, values))
}

pub(super) fn delete_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
) -> HeaderAnswer {
    change(cx, &fields, |fields| fields.delete(&name))
}

pub(super) fn get_and_delete_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
) -> HeaderAnswer<Vec<Vec<u8>>> {
    change(cx, &fields, |fields| {
        let values = fields.get(&name).map(<[u8]>::to_vec).collect();
        fields.delete(&name).map(|()| values)
    })
}

pub(super) fn append_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
    value: Vec<u8>,
) -> HeaderAnswer {
    change(cx, &fields, |fields| append(fields, &name, value))
}
