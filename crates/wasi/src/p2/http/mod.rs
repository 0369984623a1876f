//! `wasi:http`: requests that a guest sends, and requests that it answers.
//!
//! What moves messages is [`http`](crate::http); here are the resources that a guest has of
//! them. `proxy` makes those of a request that a server has received.

pub(crate) mod body;
pub(crate) mod fields;
pub(crate) mod handler;
#[cfg(feature = "serve")]
mod proxy;
pub(crate) mod request;
mod response;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod types;

use zwasm::Result;
use zwasm_component::Linker;

#[cfg(feature = "serve")]
pub use self::proxy::Proxy;

use self::body::*;
use self::fields::*;
use self::request::*;
use self::response::*;
use self::types::*;
use super::WasiView;
use super::table::interface;

/// Defines `wasi:http/types` and `wasi:http/outgoing-handler`.
pub(super) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    handler::define_outgoing_handler(linker)
}

interface! {
    /// Defines `wasi:http/types`.
    fn define_types = "wasi:http/types@0.2.12" {
        resource "fields": Headers;
        resource "incoming-request": IncomingRequest;
        resource "outgoing-request": OutgoingRequest;
        resource "request-options": RequestOptions;
        resource "response-outparam": ResponseOutparam;
        resource "incoming-response": IncomingResponse;
        resource "incoming-body": IncomingBody;
        resource "future-trailers": FutureTrailers;
        resource "outgoing-response": OutgoingResponse;
        resource "outgoing-body": OutgoingBody, dropped by abort;
        resource "future-incoming-response": FutureIncomingResponse;
        "http-error-code" = http_error_code(error);
        "[constructor]fields" = new_fields();
        "[static]fields.from-list" = fields_from_list(entries);
        "[method]fields.get" = get_field(fields, name);
        "[method]fields.has" = has_field(fields, name);
        "[method]fields.set" = set_field(fields, name, values);
        "[method]fields.delete" = delete_field(fields, name);
        "[method]fields.append" = append_field(fields, name, value);
        "[method]fields.entries" = entries(fields);
        "[method]fields.clone" = clone_fields(fields);
        "[method]incoming-request.method" = incoming_method(request);
        "[method]incoming-request.path-with-query" = incoming_path(request);
        "[method]incoming-request.scheme" = incoming_scheme(request);
        "[method]incoming-request.authority" = incoming_authority(request);
        "[method]incoming-request.headers" = incoming_request_headers(request);
        "[method]incoming-request.consume" = consume_request(request);
        "[constructor]outgoing-request" = new_request(headers);
        "[method]outgoing-request.body" = request_body(request);
        "[method]outgoing-request.method" = method(request);
        "[method]outgoing-request.set-method" = set_method(request, method);
        "[method]outgoing-request.path-with-query" = path(request);
        "[method]outgoing-request.set-path-with-query" = set_path(request, path);
        "[method]outgoing-request.scheme" = scheme(request);
        "[method]outgoing-request.set-scheme" = set_scheme(request, scheme);
        "[method]outgoing-request.authority" = authority(request);
        "[method]outgoing-request.set-authority" = set_authority(request, authority);
        "[method]outgoing-request.headers" = request_headers(request);
        "[constructor]request-options" = new_options();
        "[method]request-options.connect-timeout" = connect_timeout(options);
        "[method]request-options.set-connect-timeout" = set_connect_timeout(options, time);
        "[method]request-options.first-byte-timeout" = first_byte_timeout(options);
        "[method]request-options.set-first-byte-timeout" = set_first_byte_timeout(options, time);
        "[method]request-options.between-bytes-timeout" = between_bytes_timeout(options);
        "[method]request-options.set-between-bytes-timeout"
            = set_between_bytes_timeout(options, time);
        "[method]response-outparam.send-informational" = send_informational(to, status, headers);
        "[static]response-outparam.set" = set_response(to, response);
        "[method]incoming-response.status" = status(response);
        "[method]incoming-response.headers" = incoming_response_headers(response);
        "[method]incoming-response.consume" = consume_response(response);
        "[method]incoming-body.stream" = read_body(body);
        "[static]incoming-body.finish" = finish_reading(body);
        "[method]future-trailers.subscribe" = subscribe_trailers(trailers);
        "[method]future-trailers.get" = get_trailers(trailers);
        "[constructor]outgoing-response" = new_response(headers);
        "[method]outgoing-response.status-code" = status_code(response);
        "[method]outgoing-response.set-status-code" = set_status_code(response, status);
        "[method]outgoing-response.headers" = response_headers(response);
        "[method]outgoing-response.body" = response_body(response);
        "[method]outgoing-body.write" = write_body(body);
        "[static]outgoing-body.finish" = finish_writing(body, trailers);
        "[method]future-incoming-response.subscribe" = subscribe_response(response);
        "[method]future-incoming-response.get" = get_response(response);
    }
}
