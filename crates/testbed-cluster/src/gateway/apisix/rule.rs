//! What an ApisixRoute means, as data: the ingress controller's half of the work.
//!
//! As controller 1.x does (the guide's chart brings 1.5): a route is taken over whole or not at all. When one of its
//! backends names a Service or a port that does not exist, or two rules have one name, what was taken over before
//! stays in APISIX, and a new route does not come to be. A Service without endpoints is no such mistake: it becomes an
//! upstream without nodes. (Controller 2.x leaves the backend out instead and takes the rest over.)
//!
//! Weights are relative and 100 when none is written; they say nothing while there is only one backend. `websocket`,
//! `timeout` and plugins other than `prometheus` change nothing here.
//!
//! Not done: `exprs`, `filter_func`, `remoteAddrs`, `upstreams`, `plugin_config_name`, `authentication`, subsets,
//! stream rules, ApisixUpstream, ingress classes, `resolveGranularity`, a `*` before the end of a path.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::network::{Directory, PortRef};
use crate::view;

/// The weight of a backend that says none.
const DEFAULT_WEIGHT: i64 = 100;

/// One rule of an ApisixRoute, which is one route of APISIX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Its name in APISIX: `<namespace>_<ApisixRoute>_<rule>`.
    pub name: String,
    /// Among rules of the same path the higher one wins.
    pub priority: i64,
    /// In lower case; `*.example.com` for all below. Without any it takes every host.
    pub hosts: Vec<String>,
    /// Which paths it takes.
    pub paths: Vec<Path>,
    /// Without any it takes every method.
    pub methods: Vec<String>,
    /// Where requests go; never empty.
    pub backends: Vec<Backend>,
    /// What its series are labelled with; `None` when the rule has no plugin `prometheus` at work.
    pub measured_as: Option<String>,
}

/// One Service and its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    /// Namespace and name of the Service.
    pub service: (String, String),
    /// Its port.
    pub port: PortRef,
    /// Relative to the other backends' weights.
    pub weight: u64,
}

/// A path as written: `/status` takes that path alone, `/status*` all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(pub String);

impl Path {
    fn read(text: &str) -> Result<Self, String> {
        match text.find('*') {
            Some(place) if place + 1 < text.len() => {
                Err(format!("unsupported wildcard inside path {text:?}"))
            }
            _ => Ok(Path(text.to_owned())),
        }
    }

    /// What it begins with, when it is a prefix.
    pub fn prefix(&self) -> Option<&str> {
        self.0.strip_suffix('*')
    }
}

/// The rules of an ApisixRoute, or why it is not taken over.
pub(super) fn read(route: &Value, directory: &Directory) -> Result<Vec<Rule>, String> {
    let rules: Vec<Rule> = view::list(route, "/spec/http")
        .iter()
        .map(|rule| read_rule(route, rule))
        .collect::<Result<_, _>>()?;
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    if names.len() < rules.len() {
        return Err("duplicated route rule name".to_owned());
    }
    for backend in rules.iter().flat_map(|rule| &rule.backends) {
        let (namespace, name) = &backend.service;
        if !directory.has(namespace, name) {
            return Err(format!("service {name:?} not found"));
        }
        if directory.port(namespace, name, &backend.port).is_none() {
            return Err(format!("service {name:?} has no port {:?}", backend.port));
        }
    }
    Ok(rules)
}

fn read_rule(route: &Value, rule: &Value) -> Result<Rule, String> {
    let namespace = view::namespace(route);
    let texts = |pointer: &str| -> Vec<String> {
        view::list(rule, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let name = format!("{namespace}_{}_{}", view::name(route), view::text(rule, "/name"));
    let backends: Vec<Backend> = view::list(rule, "/backends")
        .iter()
        .map(|backend| read_backend(namespace, backend))
        .collect::<Result<_, _>>()?;
    if backends.is_empty() {
        return Err(format!("rule {name} has no backends"));
    }
    Ok(Rule {
        priority: view::number(rule, "/priority", 0),
        hosts: texts("/match/hosts").iter().map(|host| host.to_ascii_lowercase()).collect(),
        paths: texts("/match/paths").iter().map(|path| Path::read(path)).collect::<Result<_, _>>()?,
        methods: texts("/match/methods"),
        backends,
        measured_as: measured_as(rule, &name),
        name,
    })
}

fn read_backend(namespace: &str, backend: &Value) -> Result<Backend, String> {
    let name = view::text(backend, "/serviceName");
    let port = match backend.get("servicePort") {
        Some(Value::String(name)) => PortRef::Name(name.clone()),
        port => {
            let number = port.and_then(Value::as_u64).and_then(|number| u16::try_from(number).ok());
            PortRef::Number(number.ok_or_else(|| format!("backend {name:?} has no port"))?)
        }
    };
    let weight = u64::try_from(view::number(backend, "/weight", DEFAULT_WEIGHT));
    let weight = weight.map_err(|_| format!("the weight of backend {name:?} is below 0"))?;
    Ok(Backend { service: (namespace.to_owned(), name.to_owned()), port, weight })
}

/// The plugin names the route by its id, unless `prefer_name` is set.
fn measured_as(rule: &Value, name: &str) -> Option<String> {
    let is_on = |plugin: &&Value| {
        let set = |pointer: &str| view::at(plugin, pointer).and_then(Value::as_bool) == Some(true);
        view::text(plugin, "/name") == "prometheus"
            && set("/enable")
            && !set("/config/disable")
            && !set("/config/_meta/disable")
    };
    // Of several of one name the last is kept.
    let plugin = view::list(rule, "/plugins").iter().rfind(is_on)?;
    let by_name = view::at(plugin, "/config/prefer_name").and_then(Value::as_bool) == Some(true);
    Some(if by_name { name.to_owned() } else { id(name) })
}

/// The id that the controller gives to a thing of that name: its CRC-32 (IEEE) in hexadecimal.
fn id(name: &str) -> String {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    let crc = name.bytes().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(byte), bit));
    format!("{:x}", !crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_checksum_of_the_name() {
        // The check value that CRC-32 is known by.
        assert_eq!(id("123456789"), "cbf43926");
    }
}
