//! Methods, schemes and errors.

use zwasm::Result;
use zwasm_component::Resource;

use crate::http::error::Error;
use crate::p2::WasiCtxView;
use crate::p2::io::IoError;
use crate::p2::wit::{wit_record, wit_variant};

wit_variant! {
    /// What is to be done.
    #[derive(Clone, Debug)]
    Method {
        Get = "get",
        Head = "head",
        Post = "post",
        Put = "put",
        Delete = "delete",
        Connect = "connect",
        Options = "options",
        Trace = "trace",
        Patch = "patch",
        Other(name: String) = "other",
    }
}

impl Method {
    /// The method of a name in messages.
    pub(crate) fn of(name: &str) -> Method {
        match name {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            "CONNECT" => Method::Connect,
            "OPTIONS" => Method::Options,
            "TRACE" => Method::Trace,
            "PATCH" => Method::Patch,
            _ => Method::Other(name.to_owned()),
        }
    }

    /// The name in messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Other(name) => name,
        }
    }
}

wit_variant! {
    /// How to talk to the other side.
    #[derive(Clone, Debug)]
    Scheme {
        Http = "HTTP",
        Https = "HTTPS",
        Other(name: String) = "other",
    }
}

wit_record! {
    /// Why a name has no address.
    DnsErrorPayload {
        rcode: Option<String> = "rcode",
        info_code: Option<u16> = "info-code",
    }
}

wit_record! {
    /// What the other side does not like about TLS.
    TlsAlertReceivedPayload {
        alert_id: Option<u8> = "alert-id",
        alert_message: Option<String> = "alert-message",
    }
}

wit_record! {
    /// Which field is too large.
    FieldSizePayload {
        field_name: Option<String> = "field-name",
        field_size: Option<u32> = "field-size",
    }
}

wit_variant! {
    /// What goes wrong with requests and responses.
    #[derive(Clone, Debug)]
    ErrorCode {
        DnsTimeout = "DNS-timeout",
        DnsError(payload: DnsErrorPayload) = "DNS-error",
        DestinationNotFound = "destination-not-found",
        DestinationUnavailable = "destination-unavailable",
        DestinationIpProhibited = "destination-IP-prohibited",
        DestinationIpUnroutable = "destination-IP-unroutable",
        ConnectionRefused = "connection-refused",
        ConnectionTerminated = "connection-terminated",
        ConnectionTimeout = "connection-timeout",
        ConnectionReadTimeout = "connection-read-timeout",
        ConnectionWriteTimeout = "connection-write-timeout",
        ConnectionLimitReached = "connection-limit-reached",
        TlsProtocolError = "TLS-protocol-error",
        TlsCertificateError = "TLS-certificate-error",
        TlsAlertReceived(payload: TlsAlertReceivedPayload) = "TLS-alert-received",
        HttpRequestDenied = "HTTP-request-denied",
        HttpRequestLengthRequired = "HTTP-request-length-required",
        HttpRequestBodySize(size: Option<u64>) = "HTTP-request-body-size",
        HttpRequestMethodInvalid = "HTTP-request-method-invalid",
        HttpRequestUriInvalid = "HTTP-request-URI-invalid",
        HttpRequestUriTooLong = "HTTP-request-URI-too-long",
        HttpRequestHeaderSectionSize(size: Option<u32>) = "HTTP-request-header-section-size",
        HttpRequestHeaderSize(field: Option<FieldSizePayload>) = "HTTP-request-header-size",
        HttpRequestTrailerSectionSize(size: Option<u32>) = "HTTP-request-trailer-section-size",
        HttpRequestTrailerSize(field: FieldSizePayload) = "HTTP-request-trailer-size",
        HttpResponseIncomplete = "HTTP-response-incomplete",
        HttpResponseHeaderSectionSize(size: Option<u32>) = "HTTP-response-header-section-size",
        HttpResponseHeaderSize(field: FieldSizePayload) = "HTTP-response-header-size",
        HttpResponseBodySize(size: Option<u64>) = "HTTP-response-body-size",
        HttpResponseTrailerSectionSize(size: Option<u32>) = "HTTP-response-trailer-section-size",
        HttpResponseTrailerSize(field: FieldSizePayload) = "HTTP-response-trailer-size",
        HttpResponseTransferCoding(coding: Option<String>) = "HTTP-response-transfer-coding",
        HttpResponseContentCoding(coding: Option<String>) = "HTTP-response-content-coding",
        HttpResponseTimeout = "HTTP-response-timeout",
        HttpUpgradeFailed = "HTTP-upgrade-failed",
        HttpProtocolError = "HTTP-protocol-error",
        LoopDetected = "loop-detected",
        ConfigurationError = "configuration-error",
        InternalError(why: Option<String>) = "internal-error",
    }
}

impl From<&Error> for ErrorCode {
    fn from(error: &Error) -> ErrorCode {
        match error {
            Error::LookupTimeout => ErrorCode::DnsTimeout,
            Error::Lookup(_) => {
                ErrorCode::DnsError(DnsErrorPayload { rcode: None, info_code: None })
            }
            Error::Unroutable => ErrorCode::DestinationIpUnroutable,
            Error::Unavailable => ErrorCode::DestinationUnavailable,
            Error::Refused => ErrorCode::ConnectionRefused,
            Error::Terminated => ErrorCode::ConnectionTerminated,
            Error::ConnectTimeout => ErrorCode::ConnectionTimeout,
            Error::ReadTimeout => ErrorCode::ConnectionReadTimeout,
            Error::TooMany => ErrorCode::ConnectionLimitReached,
            Error::Denied => ErrorCode::HttpRequestDenied,
            Error::Tls => ErrorCode::TlsProtocolError,
            Error::Certificate => ErrorCode::TlsCertificateError,
            Error::Alert { id, message } => ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
                alert_id: Some(*id),
                alert_message: Some(message.clone()),
            }),
            Error::RequestBodySize(size) => ErrorCode::HttpRequestBodySize(Some(*size)),
            Error::ResponseBodySize(size) => ErrorCode::HttpResponseBodySize(Some(*size)),
            Error::Method => ErrorCode::HttpRequestMethodInvalid,
            Error::Target => ErrorCode::HttpRequestUriInvalid,
            Error::TargetTooLong => ErrorCode::HttpRequestUriTooLong,
            Error::Incomplete => ErrorCode::HttpResponseIncomplete,
            Error::HeadSize(size) => ErrorCode::HttpResponseHeaderSectionSize(Some(*size)),
            Error::TrailersSize(size) => ErrorCode::HttpResponseTrailerSectionSize(Some(*size)),
            Error::TransferCoding(coding) => {
                ErrorCode::HttpResponseTransferCoding(Some(coding.clone()))
            }
            Error::Protocol => ErrorCode::HttpProtocolError,
            Error::Other(why) => ErrorCode::InternalError(Some(why.clone())),
        }
    }
}

/// What an error of a stream is as one of HTTP, if it is one.
pub(crate) fn http_error_code(
    cx: &mut WasiCtxView<'_>,
    error: Resource<IoError>,
) -> Result<(Option<ErrorCode>,)> {
    let inner = cx.table.get(&error)?.0.get_ref();
    let error = inner.and_then(|inner| inner.downcast_ref::<Error>());
    Ok((error.map(ErrorCode::from),))
}
