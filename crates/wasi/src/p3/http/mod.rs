//! `wasi:http` 0.3: requests that a guest sends, and requests that it answers.
//!
//! Messages are moved by [`http`](crate::http), as those of 0.2 are. There is one resource
//! for requests and one for responses, whoever made them: what differs is where their body
//! comes from (`body`). A body is a stream with a future behind it. That of a message that
//! was received is filled from its connection, and that of a message that a guest has made
//! is emptied into one (`transmit`) when the message is sent: by `client`, or as the answer
//! to a request that a `service` has got.

mod body;
mod client;
mod fields;
mod request;
mod response;
#[cfg(feature = "serve")]
mod service;
#[cfg(test)]
mod tests;
mod transmit;

use zwasm::Result;
use zwasm_component::Linker;

#[cfg(feature = "serve")]
pub use self::service::Service;

use self::fields::*;
use self::request::*;
use self::response::*;
use super::table::interface;
use crate::WasiView;
use crate::p2::http::fields::{Headers, clone_fields, entries, get_field, has_field, new_fields};

/// Defines `wasi:http/types` and `wasi:http/client`.
pub(super) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    client::define_client(linker)
}

interface! {
    /// Defines `wasi:http/types`.
    fn define_types = "wasi:http/types@0.3.0" {
        resource "fields": Headers;
        resource "request": Request, closed by close_request;
        resource "request-options": Options;
        resource "response": Response, closed by close_response;
        "[constructor]fields" = new_fields();
        "[static]fields.from-list" = fields_from_list(entries);
        "[method]fields.get" = get_field(fields, name);
        "[method]fields.has" = has_field(fields, name);
        "[method]fields.set" = set_field(fields, name, values);
        "[method]fields.delete" = delete_field(fields, name);
        "[method]fields.get-and-delete" = get_and_delete_field(fields, name);
        "[method]fields.append" = append_field(fields, name, value);
        "[method]fields.copy-all" = entries(fields);
        "[method]fields.clone" = clone_fields(fields);
        "[static]request.new" as over = new_request(headers, contents, trailers, options);
        "[method]request.get-method" = method(request);
        "[method]request.set-method" = set_method(request, method);
        "[method]request.get-path-with-query" = path(request);
        "[method]request.set-path-with-query" = set_path(request, path);
        "[method]request.get-scheme" = scheme(request);
        "[method]request.set-scheme" = set_scheme(request, scheme);
        "[method]request.get-authority" = authority(request);
        "[method]request.set-authority" = set_authority(request, authority);
        "[method]request.get-options" = options(request);
        "[method]request.get-headers" = request_headers(request);
        "[static]request.consume-body" as over = consume_request(request, handled);
        "[constructor]request-options" = new_options();
        "[method]request-options.get-connect-timeout" = connect_timeout(options);
        "[method]request-options.set-connect-timeout" = set_connect_timeout(options, time);
        "[method]request-options.get-first-byte-timeout" = first_byte_timeout(options);
        "[method]request-options.set-first-byte-timeout" = set_first_byte_timeout(options, time);
        "[method]request-options.get-between-bytes-timeout" = between_bytes_timeout(options);
        "[method]request-options.set-between-bytes-timeout"
            = set_between_bytes_timeout(options, time);
        "[method]request-options.clone" = clone_options(options);
        "[static]response.new" as over = new_response(headers, contents, trailers);
        "[method]response.get-status-code" = status(response);
        "[method]response.set-status-code" = set_status(response, status);
        "[method]response.get-headers" = response_headers(response);
        "[static]response.consume-body" as over = consume_response(response, handled);
    }
}
