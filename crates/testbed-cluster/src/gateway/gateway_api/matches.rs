//! Which requests a rule takes, and which of several rules goes first.

use bytes::Bytes;
use http::Request;
use regex::Regex;
use serde_json::Value;

use crate::view;

/// One entry of `matches`; all conditions must be met.
#[derive(Clone, Debug, Default)]
pub(super) struct Match {
    path: Option<(String, String)>,
    method: Option<String>,
    headers: Vec<(String, Text)>,
    parameters: Vec<(String, Text)>,
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
    /// Reads an entry.
    pub fn read(of: &Value) -> Self {
        let named = |list: &str| {
            let list = view::list(of, list).iter();
            list.map(|one| (view::text(one, "/name").to_owned(), Text::read(one))).collect()
        };
        let text = |pointer: &str| Some(view::text(of, pointer).to_owned()).filter(|text| !text.is_empty());
        let kind = text("/path/type").unwrap_or_else(|| "PathPrefix".to_owned());
        Match {
            path: text("/path/value").map(|value| (kind, value)),
            method: text("/method"),
            headers: named("/headers"),
            parameters: named("/queryParams"),
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
            && self.method.as_deref().is_none_or(|method| method == request.method().as_str())
            && self.headers.iter().all(|(name, text)| header(name).is_some_and(|value| text.is(&value)))
            && self.parameters.iter().all(|(name, text)| parameter(name).is_some_and(|value| text.is(&value)))
    }

    /// What goes first: an exact path, the longest prefix, a method, more headers, more parameters.
    pub fn rank(&self) -> (bool, usize, bool, usize, usize) {
        let (exact, length) =
            self.path.as_ref().map_or((false, 0), |(kind, value)| (kind == "Exact", value.len()));
        (exact, length, self.method.is_some(), self.headers.len(), self.parameters.len())
    }
}
