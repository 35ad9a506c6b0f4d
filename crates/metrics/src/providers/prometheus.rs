//! Prometheus, and every server with its HTTP API.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use vexil_analysis::bounded_to;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Secret, Url, parse_url, printable, shown};

use super::{ProviderError, without_user};
use crate::{Credentials, HttpProvider, QueryError};

const NAME: &str = "prometheus";
const DEADLINE_MS: u64 = 5_000;
const MAX_REPLY_BYTES: usize = 1 << 20;
/// How much of a reply is repeated in a message, in bytes.
const SAID: usize = 512;

/// A server, and how to ask it.
#[derive(Clone)]
pub(crate) struct Prometheus {
    /// The address of instant queries.
    endpoint: Url,
    headers: Vec<(String, String)>,
    authorization: Option<Secret>,
    skip_verify: bool,
    /// Texts that are cut out of every message, should a server repeat what it was sent.
    hidden: Vec<Secret>,
}

impl Prometheus {
    /// The server at an address, without credentials.
    pub(crate) fn at(address: &str) -> Result<Self, ProviderError> {
        let invalid = || ProviderError::Address { provider: NAME, address: without_user(address) };
        let mut endpoint = parse_url(address).map_err(|_| invalid())?;
        let path = format!("{}/api/v1/query", endpoint.path().trim_end_matches('/'));
        endpoint.set_path(&path);
        endpoint.set_query(None);
        endpoint.set_fragment(None);
        let password = endpoint.password().map(Secret::new);
        Ok(Prometheus {
            endpoint,
            headers: Vec::new(),
            authorization: None,
            skip_verify: false,
            hidden: password.into_iter().collect(),
        })
    }

    /// The server of a MetricTemplate. A token wins over user and password.
    pub(crate) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let mut server = Prometheus::at(spec.address.as_deref().unwrap_or_default())?;
        server.skip_verify = spec.insecure_skip_verify.unwrap_or(false);
        let headers = spec.headers.iter();
        let each = headers.flat_map(|(name, values)| values.iter().map(move |v| (name.clone(), v.clone())));
        server.headers = each.collect();
        if let Some(credentials) = credentials {
            server.authenticate(credentials)?;
        }
        Ok(server)
    }

    fn authenticate(&mut self, credentials: &Credentials) -> Result<(), ProviderError> {
        let lacks = |key| ProviderError::MissingKey { provider: NAME, key };
        if let Some(token) = credentials.get("token") {
            self.hidden.push(token.clone());
            self.authorization = Some(Secret::new(format!("Bearer {}", token.expose())));
            return Ok(());
        }
        let username = credentials.get("username").ok_or_else(|| lacks("username"))?.expose();
        let password = credentials.get("password").ok_or_else(|| lacks("password"))?;
        if !username.is_empty() && !password.expose().is_empty() {
            let pair = Secret::new(STANDARD.encode(format!("{username}:{}", password.expose())));
            self.authorization = Some(Secret::new(format!("Basic {}", pair.expose())));
            self.hidden.extend([password.clone(), pair]);
        }
        Ok(())
    }

    /// What a reply says, for messages. Secrets go before the cut, which could leave half of one.
    fn said(&self, reply: &Reply) -> String {
        self.quoted(&reply.text(MAX_REPLY_BYTES))
    }

    /// A text of the server, for messages.
    fn quoted(&self, text: &str) -> String {
        bounded_to(self.hide(text), SAID)
    }

    fn hide(&self, text: &str) -> String {
        let secrets = self.hidden.iter().filter(|secret| !secret.expose().is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "[hidden]"))
    }
}

impl HttpProvider for Prometheus {
    fn request(&self, query: &str) -> Request {
        let mut url = self.endpoint.clone();
        url.query_pairs_mut().append_pair("query", &collapsed(query));
        let mut request = Request::get(url);
        for (name, value) in &self.headers {
            let is_ours = self.authorization.is_some() && name.eq_ignore_ascii_case("authorization");
            if !is_ours {
                request = request.header(name, value);
            }
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization.expose());
        }
        Request {
            deadline_ms: DEADLINE_MS,
            max_reply_bytes: MAX_REPLY_BYTES,
            skip_verify: self.skip_verify,
            ..request
        }
    }

    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        self.read(reply).map_err(|error| if reply.private { error.without_reply_text() } else { error })
    }

    fn probe(&self) -> Request {
        self.request("vector(1)")
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        match self.parse(reply) {
            Ok(1.0) => Ok(()),
            Ok(_) => Err(QueryError::Offline("value is not 1 for query: vector(1)".to_owned())),
            Err(error) => Err(QueryError::Offline(format!("running query failed: {error}"))),
        }
    }
}

impl Prometheus {
    /// The number in a reply; errors quote what the server said.
    fn read(&self, reply: &Reply) -> Result<f64, QueryError> {
        if reply.status >= 400 {
            let status = Some(reply.status_line());
            return Err(QueryError::Refused { status, said: self.said(reply) });
        }
        let malformed = |problem: &str| {
            QueryError::Malformed(format!("{}, '{}'", self.quoted(problem), self.said(reply)))
        };
        if let Some(encoding) = reply.header("content-encoding").filter(|e| *e != "identity") {
            return Err(QueryError::Malformed(format!(
                "reply is encoded as {}, which was not requested",
                self.quoted(encoding)
            )));
        }
        let answer: Answer = serde_json::from_slice(&reply.body).map_err(|e| malformed(&e.to_string()))?;
        if answer.status.as_deref() == Some("error") {
            let (kind, error) = (answer.error_type.unwrap_or_default(), answer.error.unwrap_or_default());
            let said = self.quoted(&printable(&format!("{kind}: {error}")));
            return Err(QueryError::Refused { status: None, said });
        }
        let data = answer.data.ok_or_else(|| malformed("reply has no data"))?;
        let Value::Array(series) = &data.result else { return Err(malformed("data has no list of results")) };
        if matches!(data.result_type.as_deref(), Some("scalar" | "string")) {
            return Err(malformed("result is no vector"));
        }
        match series.as_slice() {
            [] => Err(QueryError::NoValues),
            [one] if one.get("values").is_some() => Err(QueryError::ManyValues),
            [one] => sample(one).map_err(|problem| malformed(&problem)),
            many => Err(QueryError::ManySeries(many.len())),
        }
    }
}

/// Without credentials, and without the query string.
impl std::fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{NAME} at {}", shown(&self.endpoint))
    }
}

/// The documented shape of an answer, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: Option<String>,
    error_type: Option<String>,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: Option<String>,
    result: Value,
}

/// The number of one series: `"value": [<time>, "<number>"]`.
fn sample(series: &Value) -> Result<f64, String> {
    let value = series.get("value").and_then(|value| value.get(1)).and_then(Value::as_str);
    let text = value.ok_or("series has no value")?;
    text.parse().map_err(|_| format!("value {text:?} is no number"))
}

/// Runs of white space as one space each; the ends are not trimmed.
fn collapsed(query: &str) -> String {
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

#[cfg(test)]
mod tests;
