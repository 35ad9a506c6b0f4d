//! The routes with conditions that are put before ours: for A/B testing, and for the cookies of session affinity.

use serde_json::{Value, json};
use vexil_api::SessionAffinity;
use vexil_routing::{RouteRequest, RouteTarget, Session, Side, Weight};

use crate::settings::{conditions, escaped};

/// What a route with conditions is for. They are in the order of their places before our route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Requests that meet `analysis.match`.
    Match,
    /// Clients that reached the canary.
    CanarySession,
    /// Clients that reached the primary.
    PrimarySession,
    /// Clients with a cookie of an earlier rollout.
    PreviousSession,
}

impl Purpose {
    const ALL: [Purpose; 4] =
        [Purpose::Match, Purpose::CanarySession, Purpose::PrimarySession, Purpose::PreviousSession];

    /// The name of such a route.
    pub(crate) fn name(self, target: &RouteTarget<'_>) -> String {
        let suffix = match self {
            Purpose::Match => "canary-match",
            Purpose::CanarySession => "canary-session",
            Purpose::PrimarySession => "primary-session",
            Purpose::PreviousSession => "previous-session",
        };
        format!("{}-{suffix}", target.apex)
    }

    /// The purpose that the name of a route says.
    pub(crate) fn of(target: &RouteTarget<'_>, route: &Value) -> Option<Self> {
        let name = route.get("name")?.as_str()?;
        Purpose::ALL.into_iter().find(|purpose| purpose.name(target) == name)
    }
}

/// A route with conditions.
pub(crate) struct Special {
    /// What it is for.
    pub purpose: Purpose,
    /// Its conditions, beside those of our route.
    pub conditions: Vec<Value>,
    /// The canary's share.
    pub canary: Weight,
}

/// The routes with conditions that a request needs, in order.
pub(crate) fn specials(want: &RouteRequest<'_>) -> Vec<Special> {
    let special = |purpose, conditions, canary| Special { purpose, conditions, canary };
    match want {
        RouteRequest::Weighted { .. } | RouteRequest::Mirrored { .. } => Vec::new(),
        RouteRequest::Matched { matches } => vec![special(Purpose::Match, conditions(matches), Weight::FULL)],
        RouteRequest::Sticky { canary, session } => {
            let of = |purpose, cookie: &str, share| special(purpose, vec![has_cookie(cookie)], share);
            let primary = session.primary.map(|cookie| of(Purpose::PrimarySession, cookie, Weight::ZERO));
            let previous = session.previous.map(|cookie| of(Purpose::PreviousSession, cookie, *canary));
            let first = of(Purpose::CanarySession, session.canary, Weight::FULL);
            [Some(first), primary, previous].into_iter().flatten().collect()
        }
    }
}

/// The condition that a request has a cookie `name=value`, among others.
fn has_cookie(cookie: &str) -> Value {
    json!({"headers": {"cookie": {"regex": format!("(.*; ?)?{}(;.*)?", escaped(cookie))}}})
}

/// The `Set-Cookie` header of responses from a side: of our route, or of that for clients with an earlier cookie.
pub(crate) fn set_cookie(
    target: &RouteTarget<'_>,
    want: &RouteRequest<'_>,
    purpose: Option<Purpose>,
    side: Side,
) -> Option<String> {
    let RouteRequest::Sticky { session, .. } = want else { return None };
    let attributes = session.attributes;
    match (purpose, side) {
        (None | Some(Purpose::PreviousSession), Side::Canary) => {
            Some(header(session.canary, session.max_age_s, attributes))
        }
        // The cookie ends with the step, so that later steps can send its clients to the canary.
        (None, Side::Primary) => Some(header(session.primary?, interval_s(target), attributes)),
        (Some(Purpose::PreviousSession), Side::Primary) => Some(ended(session)?),
        (Some(_), _) => None,
    }
}

/// Deletes the cookie of an earlier rollout, unless the primary has to set one of its own: Istio sets one cookie per
/// response.
fn ended(session: &Session<'_>) -> Option<String> {
    match session.primary {
        Some(_) => None,
        None => Some(header(session.previous?, 0, session.attributes)),
    }
}

fn interval_s(target: &RouteTarget<'_>) -> u64 {
    target.spec.analysis().map_or(60, |analysis| analysis.interval_ms(0) / 1000)
}

/// A cookie with its attributes, in Flagger's order.
fn header(cookie: &str, max_age_s: u64, attributes: &SessionAffinity) -> String {
    let named = |name: &str, value: &Option<String>| {
        value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("{name}={value}"))
    };
    let flag = |name: &str, is_set: Option<bool>| (is_set == Some(true)).then(|| name.to_owned());
    let parts = [
        Some(format!("{cookie}; Max-Age={max_age_s}")),
        named("Domain", &attributes.domain),
        flag("HttpOnly", attributes.http_only),
        flag("Partitioned", attributes.partitioned),
        named("Path", &attributes.path),
        named("SameSite", &attributes.same_site),
        flag("Secure", attributes.secure),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
