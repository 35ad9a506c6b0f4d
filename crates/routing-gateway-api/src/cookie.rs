//! The filter of a backend that sets a cookie of ours.

use serde_json::{Value, json};
use vexil_routing::RouteContext;

use crate::service::settle;

/// Makes `entry` set the cookie `text`, and no other cookie of ours; `None` for none. Other headers stay.
pub(crate) fn set(route: &RouteContext<'_>, entry: &mut Value, text: Option<&str>) {
    let live = entry.get("filters").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut filters = live.clone();
    let mut found = Vec::new();
    filters.retain_mut(|filter| !is_modifier(filter) || strip(route, filter, &mut found));
    if found.len() == usize::from(text.is_some()) && found.first().map(String::as_str) == text {
        return;
    }
    if let Some(text) = text {
        let header = json!({"name": "Set-Cookie", "value": text});
        match filters.iter_mut().find(|filter| is_modifier(filter)) {
            Some(filter) => {
                let add = filter.pointer("/responseHeaderModifier/add").and_then(Value::as_array);
                let add: Vec<Value> = add.cloned().unwrap_or_default().into_iter().chain([header]).collect();
                vexil_routing::put(filter, "responseHeaderModifier.add", add.into());
            }
            None => filters.push(json!({
                "type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [header]},
            })),
        }
    }
    settle(entry, "filters", (!filters.is_empty()).then(|| filters.into()));
}

/// Whether a filter changes headers of responses, or did before an API server dropped its fields.
fn is_modifier(filter: &Value) -> bool {
    let kind = filter.get("type").and_then(Value::as_str);
    kind == Some("ResponseHeaderModifier")
        || kind.is_none() && filter.get("responseHeaderModifier").is_some()
        || filter == &json!({})
}

/// Removes our cookies from a filter and reports them; returns whether anything is left of it.
fn strip(route: &RouteContext<'_>, filter: &mut Value, found: &mut Vec<String>) -> bool {
    let Some(body) = filter.get_mut("responseHeaderModifier").and_then(Value::as_object_mut) else {
        return false;
    };
    if let Some(add) = body.get_mut("add").and_then(Value::as_array_mut) {
        add.retain(|header| {
            let text = |field: &str| header.get(field).and_then(Value::as_str);
            let ours = match (text("name"), text("value")) {
                (Some(name), Some(value)) => name.eq_ignore_ascii_case("set-cookie") && is_ours(route, value),
                _ => true,
            };
            if ours {
                found.push(text("value").unwrap_or_default().to_owned());
            }
            !ours
        });
        if add.is_empty() {
            body.remove("add");
        }
    }
    !body.is_empty()
}

/// Whether a cookie has a name of the Canary, past or present.
fn is_ours(route: &RouteContext<'_>, value: &str) -> bool {
    let name = |cookie: &str| cookie.split_once('=').map_or(cookie, |(name, _)| name).to_owned();
    let cookies = route.target.cookies;
    let affinity = route.target.spec.analysis().and_then(|analysis| analysis.session_affinity.as_ref());
    let declared = affinity
        .into_iter()
        .flat_map(|of| [Some(of.cookie_name.as_str()), of.primary_cookie_name.as_deref()]);
    let recorded = [cookies.canary, cookies.primary, cookies.previous];
    declared.chain(recorded).flatten().any(|known| name(known) == name(value))
}
