//! Which requests a rule takes, and which of several rules goes first.

use bytes::Bytes;
use http::Request;
use regex::Regex;
use serde_json::Value;

use super::GRPC_ROUTE;
use crate::kinds::Resource;
use crate::network::is_grpc;
use crate::view;

/// One entry of `matches`; all conditions must be met.
#[derive(Clone, Debug, Default)]
pub(in crate::gateway) struct Match {
    /// Only requests of gRPC.
    is_grpc: bool,
    path: Option<(String, String)>,
    method: Option<String>,
    headers: Vec<(String, Text)>,
    parameters: Vec<(String, Text)>,
    rank: Rank,
}

/// What goes first. Of HTTPRoutes: an exact path, the longest prefix, a method, more headers, more parameters. Of
/// GRPCRoutes: the longest service, the longest method, more headers.
type Rank = (bool, usize, usize, usize, usize);

/// Of the rules that take a request, the one with the highest rank, then the first.
pub(in crate::gateway) fn foremost<'r, R>(
    rules: impl Iterator<Item = (&'r [Match], R)>,
    request: &Request<Bytes>,
) -> Option<R> {
    let ranked = rules.filter_map(|(matches, rule)| {
        let ranks = matches.iter().filter(|of| of.takes(request)).map(|of| of.rank);
        Some((ranks.max()?, rule))
    });
    ranked.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, rule)| rule)
}

/// A condition on a text.
#[derive(Clone, Debug)]
enum Text {
    Exact(String),
    Regex(Option<Regex>),
}

impl Text {
    fn read(of: &Value) -> Self {
        let value = view::text(of, "/value");
        match view::text(of, "/type") {
            // The whole text must match.
            "RegularExpression" => Text::Regex(Regex::new(&format!("^(?:{value})$")).ok()),
            _ => Text::Exact(value.to_owned()),
        }
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Text::Exact(value) => value == text,
            Text::Regex(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(text)),
        }
    }
}

impl Match {
    /// The entries of a rule of a route of this kind.
    pub fn all(kind: Resource, rule: &Value) -> Vec<Self> {
        let read = if kind == GRPC_ROUTE { Match::read_grpc } else { Match::read };
        let all: Vec<Match> = view::list(rule, "/matches").iter().map(read).collect();
        if all.is_empty() { vec![read(&Value::Null)] } else { all }
    }

    fn read(of: &Value) -> Self {
        let text = |pointer: &str| Some(view::text(of, pointer).to_owned()).filter(|text| !text.is_empty());
        let kind = text("/path/type").unwrap_or_else(|| "PathPrefix".to_owned());
        let (path, method) = (text("/path/value").map(|value| (kind, value)), text("/method"));
        let (headers, parameters) = (named(of, "/headers"), named(of, "/queryParams"));
        let (exact, length) =
            path.as_ref().map_or((false, 0), |(kind, value)| (kind == "Exact", value.len()));
        let rank = (exact, length, usize::from(method.is_some()), headers.len(), parameters.len());
        Match { is_grpc: false, path, method, headers, parameters, rank }
    }

    /// A request of gRPC has service and method as its path.
    fn read_grpc(of: &Value) -> Self {
        let (service, method) = (view::text(of, "/method/service"), view::text(of, "/method/method"));
        let is_regex = view::text(of, "/method/type") == "RegularExpression";
        let part = |text: &str| match text {
            "" => "[^/]+".to_owned(),
            text if is_regex => format!("(?:{text})"),
            text => regex::escape(text),
        };
        let path = format!("/{}/{}", part(service), part(method));
        let headers = named(of, "/headers");
        Match {
            is_grpc: true,
            path: Some(("RegularExpression".to_owned(), path)),
            rank: (false, service.len(), method.len(), headers.len(), 0),
            headers,
            ..Match::default()
        }
    }

    /// Whether it takes a request.
    pub fn takes(&self, request: &Request<Bytes>) -> bool {
        let path = request.uri().path();
        let on_path = self.path.as_ref().is_none_or(|(kind, value)| match kind.as_str() {
            "Exact" => path == value,
            "RegularExpression" => {
                Regex::new(&format!("^(?:{value})$")).is_ok_and(|regex| regex.is_match(path))
            }
            _ => {
                let prefix = value.trim_end_matches('/');
                path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        });
        let header = |name: &str| {
            let all = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
            Some(all.collect::<Vec<_>>().join(",")).filter(|text| !text.is_empty())
        };
        let query = request.uri().query().unwrap_or_default();
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        on_path
            && (!self.is_grpc || is_grpc(request))
            && self.method.as_deref().is_none_or(|method| method == request.method().as_str())
            && self.headers.iter().all(|(name, text)| header(name).is_some_and(|value| text.is(&value)))
            && self.parameters.iter().all(|(name, text)| parameter(name).is_some_and(|value| text.is(&value)))
    }
}

/// The conditions in a list, by name.
fn named(of: &Value, list: &str) -> Vec<(String, Text)> {
    view::list(of, list).iter().map(|one| (view::text(one, "/name").to_owned(), Text::read(one))).collect()
}
