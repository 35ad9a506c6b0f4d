//! Addresses as users write them: parsed once, and shown without what may be secret in them.

use reqwest::Url;

use crate::CallError;

/// An `http` or `https` address with a host.
///
/// # Errors
/// [`CallError::BadRequest`] with a reason that does not repeat the text, which may hold a password.
pub fn parse_url(text: &str) -> Result<Url, CallError> {
    let bad = |reason: String| CallError::BadRequest { reason };
    let text = text.trim();
    let has_scheme = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    let url = Url::parse(text).map_err(|error| match error {
        _ if text.is_empty() => bad("address is empty".to_owned()),
        _ if !has_scheme => bad("address must begin with http:// or https://".to_owned()),
        error => bad(format!("address is not a valid URL: {error}")),
    })?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        "http" | "https" => Err(bad("address has no host".to_owned())),
        other => Err(bad(format!("scheme {other} is not supported, only http and https are"))),
    }
}

/// A URL for messages: scheme, host, port and path, without user, password, query and fragment.
pub fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), host_and_port(url), url.path())
}

/// Host and, where it is not the scheme's own, port.
pub(crate) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
