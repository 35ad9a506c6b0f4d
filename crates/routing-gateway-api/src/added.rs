//! The rules that a strategy adds for some of the requests of a split rule.

use serde_json::{Value, json};
use vexil_routing::{RouteContext, RouteRequest, Session, Side, cookie_pattern, covers};

use crate::conditions::{both, condition};

/// A rule that is added before a split rule: a copy of it with further conditions and one backend of ours.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    /// Requests that meet one of these take it.
    conditions: Vec<Value>,
    /// The only backend of ours.
    pub(crate) to: Side,
    /// The cookie that responses set.
    pub(crate) cookie: Option<String>,
}

impl Added {
    fn session(cookie: &str, to: Side, sets: Option<String>) -> Self {
        let header = json!({"type": "RegularExpression", "name": "Cookie", "value": cookie_pattern(cookie)});
        Added { conditions: vec![json!({"headers": [header]})], to, cookie: sets }
    }

    /// The rules for a request.
    pub(crate) fn wanted(route: &RouteContext<'_>, want: &RouteRequest<'_>) -> Vec<Self> {
        match want {
            RouteRequest::Matched { matches } => {
                let conditions = matches.iter().map(|of| condition(route.kind(), of).0);
                let conditions = conditions.filter(|made| *made != json!({})).collect();
                vec![Added { conditions, to: Side::Canary, cookie: None }]
            }
            RouteRequest::Sticky { session, .. } => {
                let canary = Added::session(session.canary, Side::Canary, None);
                let primary = session.primary.map(|cookie| Added::session(cookie, Side::Primary, None));
                [canary].into_iter().chain(primary).collect()
            }
            RouteRequest::Weighted { canary } if canary.is_zero() => {
                let ended = Session::ended(route.target);
                let added = ended.map(|(cookie, sets)| Added::session(cookie, Side::Primary, Some(sets)));
                added.into_iter().collect()
            }
            RouteRequest::Weighted { .. } | RouteRequest::Mirrored { .. } => Vec::new(),
        }
    }

    /// The rule of A/B testing, by the Canary as it is now.
    pub(crate) fn testing(route: &RouteContext<'_>) -> Self {
        let matches = route.target.spec.analysis().map(|of| of.match_.as_slice()).unwrap_or_default();
        let added = Added::wanted(route, &RouteRequest::Matched { matches }).pop();
        added.unwrap_or(Added { conditions: Vec::new(), to: Side::Canary, cookie: None })
    }

    /// All rules that the Canary may have had added, by what it says now.
    pub(crate) fn known(route: &RouteContext<'_>) -> Vec<Self> {
        let cookies = route.target.cookies;
        let sessions = [cookies.canary, cookies.primary, cookies.previous].into_iter().flatten();
        let sessions = sessions.map(|cookie| Added::session(cookie, Side::Canary, None));
        sessions.chain([Added::testing(route)]).collect()
    }

    /// Whether each of these matches has one of its conditions.
    pub(crate) fn is_for(&self, matches: &Value) -> bool {
        let list = matches.as_array().map(Vec::as_slice).unwrap_or_default();
        !list.is_empty() && list.iter().all(|of| self.conditions.iter().any(|condition| has(of, condition)))
    }

    /// The matches of the added rule for a split rule with these. `None` when no request of that rule meets a
    /// condition.
    pub(crate) fn matches(&self, split: &Value) -> Option<Vec<Value>> {
        let split =
            split.as_array().filter(|list| !list.is_empty()).cloned().unwrap_or_else(|| vec![json!({})]);
        let all: Vec<Value> = split
            .iter()
            .flat_map(|of| self.conditions.iter().filter_map(|condition| both(of, condition)))
            .collect();
        (!all.is_empty()).then_some(all)
    }
}

/// Whether a rule is for requests that carry this cookie.
pub(crate) fn carries(rule: &Value, cookie: Option<&str>) -> bool {
    let Some(pattern) = cookie.map(cookie_pattern) else { return false };
    let list = |of: &Value, field: &str| of.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    list(rule, "matches").iter().flat_map(|of| list(of, "headers")).any(|header| {
        let text = |field: &str| header.get(field).and_then(Value::as_str).unwrap_or_default();
        text("name").eq_ignore_ascii_case("cookie") && text("value") == pattern
    })
}

/// Whether a match has a condition, maybe among others.
fn has(of: &Value, condition: &Value) -> bool {
    condition.as_object().into_iter().flatten().all(|(field, wanted)| match (of.get(field), wanted) {
        (Some(Value::Array(live)), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| live.iter().any(|live| covers(live, wanted)))
        }
        (Some(live), wanted) => covers(live, wanted),
        (None, _) => false,
    })
}
