//! What all metric servers behind HTTP have in common: address, headers, TLS, credentials, and how a reply is read.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;
use vexil_analysis::bounded_to;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Oversize, Reply, Request, Secret, Url, parse_url, printable, shown};

use super::{ProviderError, without_user};
use crate::{Credentials, QueryError};

const DEADLINE_MS: u64 = 5_000;
const MAX_REPLY_BYTES: usize = 1 << 20;
/// How much of a reply is repeated in a message, in bytes.
pub(super) const SAID: usize = 512;
/// The entry of a Secret with the certificates that a server may have; the name that Kubernetes uses for it.
const CA: &str = "ca.crt";

/// A server, and what every request to it has.
#[derive(Clone)]
pub(crate) struct Server {
    /// The provider's `type`.
    name: &'static str,
    /// The address with its path, without query and fragment.
    base: Url,
    /// Those of the template.
    headers: Vec<(String, String)>,
    /// Those with credentials. They replace headers of the template that have the same name.
    credentials: Vec<(&'static str, Secret)>,
    skip_verify: bool,
    ca: Option<String>,
    deadline_ms: u64,
    /// Texts that are cut out of every message, should a server repeat what it was sent.
    hidden: Vec<Secret>,
}

impl Server {
    /// The server at an address, without credentials.
    pub(super) fn at(name: &'static str, address: &str) -> Result<Self, ProviderError> {
        let invalid = || ProviderError::Address { provider: name, address: without_user(address) };
        let mut base = parse_url(address).map_err(|_| invalid())?;
        base.set_query(None);
        base.set_fragment(None);
        let password = base.password().map(Secret::new);
        Ok(Server {
            name,
            base,
            headers: Vec::new(),
            credentials: Vec::new(),
            skip_verify: false,
            ca: None,
            deadline_ms: DEADLINE_MS,
            hidden: password.into_iter().collect(),
        })
    }

    /// The server at an address, with what the template says of headers and TLS.
    pub(super) fn of(
        name: &'static str,
        address: &str,
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let mut server = Server::at(name, address)?;
        server.skip_verify = spec.insecure_skip_verify.unwrap_or(false);
        let each = spec.headers.iter();
        let each = each.flat_map(|(name, values)| values.iter().map(move |v| (name.clone(), v.clone())));
        server.headers = each.collect();
        if let Some(ca) = credentials.and_then(|entries| entries.get(CA)) {
            let is_pem = ca.expose().contains("-----BEGIN CERTIFICATE-----");
            is_pem.then_some(()).ok_or(ProviderError::NoCertificate { provider: name })?;
            server.ca = Some(ca.expose().to_owned());
        }
        Ok(server)
    }

    /// The same with another deadline, in milliseconds.
    pub(super) fn within(self, deadline_ms: u64) -> Self {
        Server { deadline_ms, ..self }
    }

    /// Sends a credential in a header; neither it nor `secret`, of which it is made, is repeated in a message.
    pub(super) fn credential(mut self, header: &'static str, value: String, secret: &Secret) -> Self {
        self.hidden.push(secret.clone());
        self.credentials.push((header, Secret::new(value)));
        self
    }

    /// Repeats this text in no message, though it is no header of its own.
    pub(super) fn hiding(mut self, secret: &Secret) -> Self {
        self.hidden.push(secret.clone());
        self
    }

    /// Sends `Authorization: Basic`; nothing if one of both is empty.
    pub(super) fn basic(mut self, username: &Secret, password: &Secret) -> Self {
        let (username, text) = (username.expose(), password.expose());
        if username.is_empty() || text.is_empty() {
            return self;
        }
        let pair = Secret::new(STANDARD.encode(format!("{username}:{text}")));
        self.hidden.push(password.clone());
        self.credential("Authorization", format!("Basic {}", pair.expose()), &pair)
    }

    /// The address with this path behind its own.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// A GET with headers and limits.
    pub(super) fn get(&self, url: Url) -> Request {
        self.limited(Request::get(url))
    }

    /// A POST with headers and limits.
    pub(super) fn post(&self, url: Url, content_type: &str, body: String) -> Request {
        let request = self.limited(Request::post(url, body.into_bytes()));
        request.header("Content-Type", content_type)
    }

    fn limited(&self, request: Request) -> Request {
        let mut request = Request {
            deadline_ms: self.deadline_ms,
            max_reply_bytes: MAX_REPLY_BYTES,
            oversize: Oversize::Fail,
            skip_verify: self.skip_verify,
            ca: self.ca.clone(),
            ..request
        };
        for (name, value) in &self.headers {
            if !self.credentials.iter().any(|(ours, _)| name.eq_ignore_ascii_case(ours)) {
                request = request.header(name, value);
            }
        }
        self.credentials.iter().fold(request, |request, (name, value)| request.header(*name, value.expose()))
    }

    /// The body of a reply with a status of success.
    pub(super) fn body<'r>(&self, reply: &'r Reply) -> Result<&'r [u8], QueryError> {
        if !(200..300).contains(&reply.status) {
            let status = Some(reply.status_line());
            return Err(QueryError::Refused { status, said: self.said(reply) });
        }
        match reply.header("content-encoding").filter(|encoding| *encoding != "identity") {
            Some(encoding) => Err(QueryError::Malformed(format!(
                "reply is encoded as {}, which was not requested",
                self.quoted(encoding)
            ))),
            None => Ok(&reply.body),
        }
    }

    /// The document in a reply.
    pub(super) fn json<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T, QueryError> {
        serde_json::from_slice(self.body(reply)?).map_err(|e| self.malformed(reply, &e.to_string()))
    }

    /// A reply that is not what the API promises.
    pub(super) fn malformed(&self, reply: &Reply, problem: &str) -> QueryError {
        QueryError::Malformed(format!("{}, '{}'", self.quoted(problem), self.said(reply)))
    }

    /// An error that a reply with a status of success reports.
    pub(super) fn refused(&self, problem: &str) -> QueryError {
        QueryError::Refused { status: None, said: self.quoted(&printable(problem)) }
    }

    /// What a reply says, for messages. Secrets go before the cut, which could leave half of one.
    fn said(&self, reply: &Reply) -> String {
        self.quoted(&reply.text(MAX_REPLY_BYTES))
    }

    /// A text of the server, for messages.
    pub(super) fn quoted(&self, text: &str) -> String {
        bounded_to(self.hide(text), SAID)
    }

    fn hide(&self, text: &str) -> String {
        let secrets = self.hidden.iter().filter(|secret| !secret.expose().is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "[hidden]"))
    }
}

/// Without credentials, and without the query string.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, shown(&self.base))
    }
}

/// The address of a template, if it has one.
pub(super) fn address(spec: &MetricProviderSpec) -> Option<&str> {
    spec.address.as_deref().map(str::trim).filter(|address| !address.is_empty())
}

/// Runs of white space as one space each; the ends are not trimmed.
pub(super) fn collapsed(query: &str) -> String {
    let mut text = String::with_capacity(query.len());
    for c in query.chars() {
        match c.is_ascii_whitespace() {
            true if text.ends_with(' ') => {}
            true => text.push(' '),
            false => text.push(c),
        }
    }
    text
}
