//! The conditions of a route: what a request has to be for it to be taken.

use bytes::Bytes;
use http::{HeaderMap, Request};
use regex::Regex;
use serde_json::Value;

use super::MESH;
use crate::gateway::mesh::{Asked, CALLER, Entrance};
use crate::view;

/// One entry of `match`, all of which has to be met.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Condition(Vec<Value>);

impl Condition {
    /// Reads an entry.
    pub fn read(entry: &Value) -> Self {
        Condition(vec![entry.clone()])
    }

    /// One of `outer` and one of `inner`; an empty list is met by all.
    pub fn both(outer: &[Condition], inner: &[Condition]) -> Vec<Condition> {
        if outer.is_empty() {
            return inner.to_vec();
        }
        let all = [Condition::default()];
        let inner = if inner.is_empty() { &all[..] } else { inner };
        let join = |one: &Condition| {
            inner.iter().map(|other| Condition([one.0.clone(), other.0.clone()].concat())).collect::<Vec<_>>()
        };
        outer.iter().flat_map(join).collect()
    }

    /// Whether a request meets it.
    pub fn is_met(&self, asked: &Asked<'_>) -> bool {
        self.0.iter().all(|entry| is_met(entry, asked))
    }
}

fn is_met(entry: &Value, asked: &Asked<'_>) -> bool {
    let request = asked.request;
    let text = |field: &str, text: &str| view::at(entry, field).is_none_or(|wanted| fits(wanted, Some(text)));
    let path = request.uri().path();
    let ignores_case = view::at(entry, "/ignoreUriCase").and_then(Value::as_bool) == Some(true);
    let path = if ignores_case { path.to_lowercase() } else { path.to_owned() };
    let all = |field: &str, found: &dyn Fn(&str) -> Option<String>, is_met: bool| {
        let wanted = view::at(entry, field).and_then(Value::as_object);
        wanted.into_iter().flatten().all(|(name, wanted)| fits(wanted, found(name).as_deref()) == is_met)
    };
    let header = |name: &str| header(request.headers(), name);
    let parameter = |name: &str| parameter(request, name);
    let label = |name: &str| (name == "app").then(|| CALLER.0.to_owned());
    let port = view::number(entry, "/port", -1);
    let gateways = view::list(entry, "/gateways");
    let in_mesh = gateways.iter().any(|name| name.as_str() == Some(MESH));
    text("/uri", &path)
        && text("/method", request.method().as_str())
        && text("/authority", asked.host)
        && text("/scheme", "http")
        && all("/headers", &header, true)
        && all("/withoutHeaders", &header, false)
        && all("/queryParams", &parameter, true)
        && labels_fit(entry, &label)
        && (port < 0 || asked.service.is_none_or(|service| service.port.map(i64::from) == Some(port)))
        && (gateways.is_empty() || in_mesh == (asked.entrance == Entrance::Sidecar))
}

/// Only a sidecar knows the labels of its pod.
fn labels_fit(entry: &Value, label: &dyn Fn(&str) -> Option<String>) -> bool {
    let wanted = view::at(entry, "/sourceLabels").and_then(Value::as_object);
    wanted.into_iter().flatten().all(|(name, value)| label(name).as_deref() == value.as_str())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join("; "))
}

fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Whether a text is as wanted; an empty condition asks that there is one.
fn fits(wanted: &Value, found: Option<&str>) -> bool {
    let Some(found) = found else { return false };
    let field = |name: &str| wanted.get(name).and_then(Value::as_str);
    if let Some(exact) = field("exact") {
        return found == exact;
    }
    if let Some(prefix) = field("prefix") {
        return found.starts_with(prefix);
    }
    let whole =
        |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(found));
    field("regex").is_none_or(whole)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(entry: Value, expect: bool) {
        let request = Request::get("http://app/api/v1?user=me")
            .header("cookie", "a=1; flagger=x")
            .header("x-canary", "insider")
            .body(Bytes::new())
            .unwrap();
        let asked = Asked { entrance: Entrance::Sidecar, host: "app", service: None, request: &request };
        assert_eq!(Condition::read(&entry).is_met(&asked), expect, "{entry}");
    }

    #[test]
    fn all_of_an_entry_has_to_be_met() {
        check(json!({}), true);
        check(json!({"uri": {"prefix": "/api"}}), true);
        check(json!({"uri": {"exact": "/api"}}), false);
        check(json!({"uri": {"regex": "/api/v[0-9]"}, "method": {"exact": "GET"}}), true);
        check(json!({"uri": {"prefix": "/api"}, "method": {"exact": "PUT"}}), false);
        check(json!({"headers": {"x-canary": {"exact": "insider"}}}), true);
        check(json!({"headers": {"x-canary": {}}}), true);
        check(json!({"headers": {"x-other": {}}}), false);
        check(json!({"withoutHeaders": {"x-canary": {"exact": "insider"}}}), false);
        check(json!({"withoutHeaders": {"x-other": {}}}), true);
        check(json!({"headers": {"cookie": {"regex": "(.*; ?)?flagger=x(;.*)?"}}}), true);
        check(json!({"headers": {"cookie": {"regex": "(.*; ?)?flagger=(;.*)?"}}}), false);
        check(json!({"queryParams": {"user": {"exact": "me"}}}), true);
        check(json!({"queryParams": {"user": {"exact": "you"}}}), false);
        check(json!({"authority": {"exact": "app"}, "gateways": ["mesh"]}), true);
        check(json!({"gateways": ["istio-system/public"]}), false);
        check(json!({"sourceLabels": {"app": "flagger-loadtester"}}), true);
        check(json!({"sourceLabels": {"app": "other"}}), false);
    }

    #[test]
    fn the_conditions_of_a_delegate_are_added_to_those_of_its_parent() {
        let read = |entries: &[Value]| entries.iter().map(Condition::read).collect::<Vec<_>>();
        let (a, b, c) = (json!({"port": 1}), json!({"port": 2}), json!({"port": 3}));
        let both = Condition::both(&read(&[a.clone(), b.clone()]), &read(std::slice::from_ref(&c)));
        assert_eq!(both, [Condition(vec![a.clone(), c.clone()]), Condition(vec![b, c.clone()])]);
        assert_eq!(Condition::both(&[], &read(std::slice::from_ref(&c))), read(&[c]));
        assert_eq!(Condition::both(&read(std::slice::from_ref(&a)), &[]), read(&[a]));
    }
}
