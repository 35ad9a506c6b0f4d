//! Splunk Observability Cloud: SignalFlow programs, executed by one POST whose reply is a stream of events.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use vexil_api::MetricProviderSpec;
use vexil_egress::{Reply, Request, Url};

use super::{
    ProviderError, lookup_key,
    server::{Server, address},
};
use crate::{Credentials, HttpProvider, Query, QueryError};

const NAME: &str = "splunk";
/// The last event of a computation that ended.
const END: &str = "END_OF_CHANNEL";

pub(super) struct Splunk(Server);

impl Splunk {
    pub(super) fn of(
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ProviderError> {
        let address = address(spec).ok_or(ProviderError::NoAddress { provider: NAME })?;
        // Flagger's manifests may have the address of the WebSocket, which is the same server.
        let address = match address.split_once("://") {
            Some(("wss", rest)) => format!("https://{rest}"),
            Some(("ws", rest)) => format!("http://{rest}"),
            _ => address.to_owned(),
        };
        let server = Server::of(NAME, &address, spec, credentials)?;
        let token = lookup_key(NAME, credentials, "sf_token_key", "sf_token_key")?;
        Ok(Splunk(server.credential("X-SF-Token", token.expose().to_owned(), &token)))
    }

    /// A path of one of the two hosts of a realm: `stream.` computes, `api.` has everything else. Another host is used
    /// as it is.
    fn url(&self, to: &str, path: &str) -> Url {
        let mut url = self.0.url(path);
        let host = url.host_str().unwrap_or_default();
        let rest = host.strip_prefix("api.").or_else(|| host.strip_prefix("stream."));
        if let Some(host) = rest.map(|rest| format!("{to}.{rest}")) {
            // A host with another first label stays one that can be parsed.
            let _ = url.set_host(Some(&host));
        }
        url
    }
}

impl HttpProvider for Splunk {
    fn request(&self, query: &Query<'_>) -> Request {
        let (from, to) = query.window_s();
        let ms = |seconds: u64| seconds.saturating_mul(1_000).to_string();
        let mut url = self.url("stream", "/v2/signalflow/execute");
        url.query_pairs_mut()
            .append_pair("start", &ms(from))
            .append_pair("stop", &ms(to))
            .append_pair("immediate", "true");
        let request = self.0.post(url, "text/plain", query.text.to_owned());
        Request { until: Some(END), ..request }
    }

    /// The newest value of the one series that has any.
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError> {
        let text = String::from_utf8_lossy(self.0.body(reply)?);
        let mut newest: BTreeMap<String, Value> = BTreeMap::new();
        for (kind, document) in events(&text) {
            match kind {
                "data" => {
                    let data: Data = serde_json::from_str(&document)
                        .map_err(|e| self.0.malformed(reply, &e.to_string()))?;
                    let known = data.data.into_iter().filter(|point| !point.value.is_null());
                    newest.extend(known.map(|point| (point.series, point.value)));
                }
                "error" => return Err(self.0.refused(&document)),
                "control-message" if document.contains("CHANNEL_ABORT") => {
                    return Err(self.0.refused(&document));
                }
                _ => {}
            }
        }
        let values: Vec<&Value> = newest.values().collect();
        match values.as_slice() {
            [] if text.contains("data:") || text.contains("event:") => Err(QueryError::NoValues),
            [] => Err(self.0.malformed(reply, "reply is no stream of events")),
            [value] => value.as_f64().ok_or_else(|| self.0.malformed(reply, "UnsupportedValueType")),
            _ => Err(QueryError::ManyValues),
        }
    }

    fn probe(&self) -> Request {
        let mut url = self.url("api", "/v2/metric");
        url.query_pairs_mut().append_pair("limit", "1");
        self.0.get(url)
    }

    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError> {
        self.0.body(reply).map(|_| ())
    }
}

/// The events of a stream: type and data, as the HTML standard has it.
fn events(stream: &str) -> Vec<(&str, String)> {
    let (mut events, mut kind, mut data) = (Vec::new(), "message", String::new());
    for line in stream.lines().chain([""]) {
        if line.is_empty() && !data.is_empty() {
            events.push((kind, std::mem::take(&mut data)));
            kind = "message";
        } else if let Some(name) = line.strip_prefix("event:") {
            kind = name.trim();
        } else if let Some(part) = line.strip_prefix("data:") {
            data.push_str(part);
            data.push('\n');
        }
    }
    events
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    data: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    #[serde(rename = "tsId")]
    series: String,
    value: Value,
}
