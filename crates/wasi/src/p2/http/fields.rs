//! `fields`: headers and trailers.

use zwasm::{Error, Result};
use zwasm_component::Resource;

use crate::http::fields::{FieldError, Fields, is_token};
use crate::p2::WasiCtxView;
use crate::p2::table::{Answer, Failed};
use crate::p2::wit::wit_variant;

/// Headers or trailers.
pub(crate) struct Headers {
    pub(crate) fields: Fields,
    /// Whether the guest may change them: those of messages it may not.
    pub(crate) mutable: bool,
}

impl Headers {
    /// Those of a message.
    pub(crate) fn of(fields: &Fields) -> Headers {
        Headers { fields: fields.clone(), mutable: false }
    }
}

wit_variant! {
    /// Why a field can not be set.
    #[derive(Debug)]
    HeaderError {
        InvalidSyntax = "invalid-syntax",
        Forbidden = "forbidden",
        Immutable = "immutable",
    }
}

impl From<FieldError> for Failed<HeaderError> {
    fn from(error: FieldError) -> Failed<HeaderError> {
        match error {
            FieldError::Syntax => Failed::With(HeaderError::InvalidSyntax),
            FieldError::Forbidden => Failed::With(HeaderError::Forbidden),
            FieldError::TooLarge => Failed::Stop(no_room()),
        }
    }
}

/// That a guest has as much of messages as it may have.
#[cold]
pub(crate) fn no_room() -> Error {
    Error::limit("the program has as many bytes of HTTP messages as it may have")
}

type HeaderAnswer<T = ()> = Answer<T, HeaderError>;

fn empty(cx: &WasiCtxView<'_>) -> Result<Fields> {
    Fields::new(&cx.ctx.0.host.budget).ok_or_else(no_room)
}

pub(crate) fn new_fields(cx: &mut WasiCtxView<'_>) -> Result<(Resource<Headers>,)> {
    let fields = empty(cx)?;
    Ok((cx.push(Headers { fields, mutable: true })?,))
}

pub(crate) fn fields_from_list(
    cx: &mut WasiCtxView<'_>,
    entries: Vec<(String, Vec<u8>)>,
) -> HeaderAnswer<Resource<Headers>> {
    let mut fields = empty(cx)?;
    for (name, value) in entries {
        fields.append(&name, value)?;
    }
    Ok(cx.push(Headers { fields, mutable: true })?)
}

pub(crate) fn get_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
) -> Result<(Vec<Vec<u8>>,)> {
    let fields = &cx.table.get(&fields)?.fields;
    Ok((fields.get(&name).map(<[u8]>::to_vec).collect(),))
}

pub(crate) fn has_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
) -> Result<(bool,)> {
    let fields = &cx.table.get(&fields)?.fields;
    Ok((is_token(&name) && fields.get(&name).next().is_some(),))
}

/// The fields, for the guest to change.
fn mutable<'a>(
    cx: &'a mut WasiCtxView<'_>,
    fields: &Resource<Headers>,
) -> HeaderAnswer<&'a mut Fields> {
    let headers = cx.table.get_mut(fields)?;
    if headers.mutable {
        Ok(&mut headers.fields)
    } else {
        Err(Failed::With(HeaderError::Immutable))
    }
}

pub(crate) fn set_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
    values: Vec<Vec<u8>>,
) -> HeaderAnswer {
    Ok(mutable(cx, &fields)?.set(&name, values)?)
}

pub(crate) fn delete_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
) -> HeaderAnswer {
    Ok(mutable(cx, &fields)?.delete(&name)?)
}

pub(crate) fn append_field(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
    name: String,
    value: Vec<u8>,
) -> HeaderAnswer {
    Ok(mutable(cx, &fields)?.append(&name, value)?)
}

/// A name and a value.
type Entry = (String, Vec<u8>);

pub(crate) fn entries(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
) -> Result<(Vec<Entry>,)> {
    let fields = &cx.table.get(&fields)?.fields;
    Ok((fields.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),))
}

pub(crate) fn clone_fields(
    cx: &mut WasiCtxView<'_>,
    fields: Resource<Headers>,
) -> Result<(Resource<Headers>,)> {
    let fields = cx.table.get(&fields)?.fields.clone();
    Ok((cx.push(Headers { fields, mutable: true })?,))
}
