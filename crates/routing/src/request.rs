//! What a router is asked for, with the settings that the user wrote for it.

use vexil_analysis::{Routes, Side, Weight};
use vexil_api::{Feature, HttpMatch};
use vexil_object::{ObjectKey, kinds};

use crate::{Provider, RouteError, RouteTarget, Session};

/// A request to a router: [`Routes`] together with the user's settings for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RouteRequest<'a> {
    /// A share of all requests to the canary, the rest to the primary.
    Weighted {
        /// The canary's share.
        canary: Weight,
    },
    /// A/B testing: requests that match go to the canary, all others to the primary.
    Matched {
        /// `analysis.match`: a request matches when it meets one of these. Never empty.
        matches: &'a [HttpMatch],
    },
    /// All requests to the primary, and a copy of some to the canary, whose responses are discarded.
    Mirrored {
        /// The share of the requests that is copied.
        percent: Weight,
    },
    /// As weighted, and clients stay on the side that they reached first, by a cookie.
    Sticky {
        /// The canary's share of the clients that have no cookie yet.
        canary: Weight,
        /// The cookies.
        session: Session<'a>,
    },
}

impl<'a> RouteRequest<'a> {
    /// `routes` with the settings of the Canary.
    ///
    /// # Errors
    /// [`RouteError::Unsupported`] when the provider does not support it, [`RouteError::Malformed`] when the Canary
    /// lacks a setting for it; one that was validated does not.
    pub fn of(
        routes: &Routes,
        target: &RouteTarget<'a>,
        provider: &(impl Provider + ?Sized),
    ) -> Result<Self, RouteError> {
        if let Some(feature) = feature(routes).filter(|feature| !provider.supports().has(*feature)) {
            return Err(RouteError::Unsupported { provider: provider.name(), feature });
        }
        let missing = |path: &str| {
            let canary = ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name);
            RouteError::malformed(&canary, path, "is missing")
        };
        let analysis = target.spec.analysis();
        Ok(match routes {
            Routes::Weighted { canary } => RouteRequest::Weighted { canary: *canary },
            Routes::Mirrored { percent } => RouteRequest::Mirrored { percent: *percent },
            Routes::Matched => {
                let matches = analysis.map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
                if matches.is_empty() {
                    return Err(missing("spec.analysis.match"));
                }
                RouteRequest::Matched { matches }
            }
            Routes::Sticky { canary } => {
                RouteRequest::Sticky { canary: *canary, session: Session::of(target).map_err(missing)? }
            }
        })
    }

    /// The request without the user's settings.
    pub const fn routes(&self) -> Routes {
        match self {
            RouteRequest::Weighted { canary } => Routes::Weighted { canary: *canary },
            RouteRequest::Matched { .. } => Routes::Matched,
            RouteRequest::Mirrored { percent } => Routes::Mirrored { percent: *percent },
            RouteRequest::Sticky { canary, .. } => Routes::Sticky { canary: *canary },
        }
    }

    /// The share of a side, as [`Routes::primary`] and [`Routes::canary`].
    pub const fn weight(&self, side: Side) -> Weight {
        match side {
            Side::Primary => self.routes().primary(),
            Side::Canary => self.routes().canary(),
        }
    }
}

/// The fields of an entry of `match` that are set. A router refuses those that its product cannot express: without a
/// condition more requests would reach the canary than the user wants.
pub fn conditions(of: &HttpMatch) -> Vec<&'static str> {
    let fields = [
        ("uri", of.uri.is_some()),
        ("scheme", of.scheme.is_some()),
        ("method", of.method.is_some()),
        ("authority", of.authority.is_some()),
        ("headers", !of.headers.is_empty()),
        ("queryParams", !of.query_params.is_empty()),
        ("withoutHeaders", !of.without_headers.is_empty()),
        ("gateways", !of.gateways.is_empty()),
        ("port", of.port.is_some()),
        ("sourceLabels", !of.source_labels.is_empty()),
        ("sourceNamespace", of.source_namespace.is_some()),
        ("ignoreUriCase", of.ignore_uri_case == Some(true)),
    ];
    fields.into_iter().filter_map(|(field, is_set)| is_set.then_some(field)).collect()
}

/// The feature that a request needs; `None` for all traffic to the primary, which every provider can do.
fn feature(routes: &Routes) -> Option<Feature> {
    match routes {
        Routes::Weighted { canary } => (!canary.is_zero()).then_some(Feature::Weights),
        Routes::Matched => Some(Feature::Matches),
        Routes::Mirrored { .. } => Some(Feature::Mirroring),
        Routes::Sticky { .. } => Some(Feature::SessionAffinity),
    }
}
