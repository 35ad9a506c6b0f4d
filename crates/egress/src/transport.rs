//! What a call is: a request with its limits, and the reply. Data, so that tests answer without a socket.

use std::fmt;

use async_trait::async_trait;
use reqwest::Url;

use crate::{CallError, Secret, shown};

/// Sends one request and waits for its reply.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The reply, whatever its status, within the request's limits.
    ///
    /// # Errors
    /// When there is no reply, or the policy or a limit forbids it.
    async fn call(&self, request: Request) -> Result<Reply, CallError>;
}

/// The methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be redirected.
    Get,
    /// Sends a body.
    Post,
    /// Sends a body; the same again changes nothing.
    Put,
}

/// What to do with a reply that is larger than [`Request::max_reply_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    /// Fail: half a document cannot be parsed.
    Fail,
    /// Keep the beginning and close the connection: only the status and the first bytes matter.
    Cut,
}

/// What to do when the server redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// Fail with [`CallError::Redirected`].
    Refuse,
    /// Follow a GET up to this many times on the same host, and never from https to http, each hop checked like the
    /// first. Headers stay behind when the origin changes, because they may hold credentials. Other methods are never
    /// repeated elsewhere.
    SameHost(u8),
}

/// One request and its limits.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to; user and password in it become basic authentication unless there is an `Authorization` header.
    pub url: Url,
    /// Headers, each of which may be a credential.
    pub headers: Vec<(String, Secret)>,
    /// The body; empty for GET.
    pub body: Vec<u8>,
    /// For everything from the name lookup to the last byte of the reply, redirects included.
    pub deadline_ms: u64,
    /// How much of the reply's body is read at most.
    pub max_reply_bytes: usize,
    /// What happens beyond that.
    pub oversize: Oversize,
    /// Accept any certificate.
    pub skip_verify: bool,
    /// Certificates of the authorities that the server's certificate may be of, as PEM, in place of those that the
    /// image trusts. Not with a proxy of the request.
    pub ca: Option<String>,
    /// The address is of the operator's own configuration and not of a user: neither the policy nor the
    /// administrator's list applies. Cloud platforms hand out credentials at such addresses.
    pub own: bool,
    /// Text that ends the reply, for streams of events that a server does not close.
    pub until: Option<&'static str>,
    /// Whether redirects are followed.
    pub redirects: Redirects,
    /// The proxy to send it through, which may have user and password; the environment's when absent. Its address is
    /// checked like any other.
    pub proxy: Option<Url>,
}

impl Request {
    /// A GET: 5 s, 1 MiB or an error, five redirects on the same host.
    pub fn get(url: Url) -> Self {
        Request {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            deadline_ms: 5_000,
            max_reply_bytes: 1 << 20,
            oversize: Oversize::Fail,
            skip_verify: false,
            ca: None,
            own: false,
            until: None,
            redirects: Redirects::SameHost(5),
            proxy: None,
        }
    }

    /// A POST: 10 s, the first 64 KiB of the reply, no redirect.
    pub fn post(url: Url, body: Vec<u8>) -> Self {
        Request {
            method: Method::Post,
            body,
            deadline_ms: 10_000,
            max_reply_bytes: 64 << 10,
            oversize: Oversize::Cut,
            redirects: Redirects::Refuse,
            ..Request::get(url)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret::new(value)));
        self
    }

    /// Whether there is a header of that name.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

/// Names the call, not what it carries.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} with {} bytes", self.method, shown(&self.url), self.body.len())
    }
}

/// A reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body as sent: no compression is asked for, so none is undone.
    pub body: Vec<u8>,
    /// Whether the body went on beyond the limit.
    pub truncated: bool,
    /// Whether the body must not be repeated in messages: it is of a server that only the operator's own pod reaches.
    pub private: bool,
}

impl Reply {
    /// A reply without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply { status, body: body.into(), ..Reply::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The status with the words of RFC 9110: `502 Bad Gateway`.
    pub fn status_line(&self) -> String {
        match reqwest::StatusCode::from_u16(self.status).ok().and_then(|s| s.canonical_reason()) {
            Some(reason) => format!("{} {reason}", self.status),
            None => self.status.to_string(),
        }
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text for messages, at most `limit` bytes of it: trimmed, with control characters and those that
    /// turn the direction of writing replaced by spaces, and bytes that are no UTF-8 by the replacement character.
    /// Empty for a reply that is private.
    pub fn text(&self, limit: usize) -> String {
        let shown = if self.private { 0 } else { limit };
        let cut = self.body.get(..self.body.len().min(shown)).unwrap_or_default();
        printable(&String::from_utf8_lossy(cut))
    }
}

/// A text of a server for messages: trimmed, with control characters and those that turn the direction of writing
/// replaced by spaces.
pub fn printable(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// Characters that forge lines or turn text around in a terminal.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
