//! The routes with conditions that are put before ours: for A/B testing, and for the cookies of session affinity.

use serde_json::{Value, json};
use vexil_routing::{RouteRequest, RouteTarget, Session, Side, Weight, escaped, set_cookie};

use crate::settings::conditions;

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
pub(crate) fn cookie_header(want: &RouteRequest<'_>, purpose: Option<Purpose>, side: Side) -> Option<String> {
    let RouteRequest::Sticky { session, .. } = want else { return None };
    match (purpose, side) {
        (None | Some(Purpose::PreviousSession), Side::Canary) => Some(session.set_canary()),
        // The cookie ends with the step, so that later steps can send its clients to the canary.
        (None, Side::Primary) => session.set_primary(),
        (Some(Purpose::PreviousSession), Side::Primary) => Some(ended(session)?),
        (Some(_), _) => None,
    }
}

/// Deletes the cookie of an earlier rollout, unless the primary has to set one of its own: Istio sets one cookie per
/// response.
fn ended(session: &Session<'_>) -> Option<String> {
    match session.primary {
        Some(_) => None,
        None => Some(set_cookie(session.previous?, 0, session.attributes)),
    }
}
