//! What a provider of traffic routing can do: the features that Canaries ask for, and which of them a provider has.

use std::fmt;

/// A way to expose a canary that not every provider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Split the traffic by weight.
    Weights,
    /// Send only requests that match conditions to the canary (A/B testing).
    Matches,
    /// Copy requests to the canary.
    Mirroring,
    /// Keep a client on the side that it reached first (session affinity).
    SessionAffinity,
}

/// As messages name it: `provider traefik does not support traffic mirroring`.
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Feature::Weights => "weighted routing",
            Feature::Matches => "A/B testing",
            Feature::Mirroring => "traffic mirroring",
            Feature::SessionAffinity => "session affinity",
        })
    }
}

/// The features of one provider. The default has none: all traffic goes to the primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Split the traffic by weight.
    pub weights: bool,
    /// Send only requests that match conditions to the canary (A/B testing).
    pub matches: bool,
    /// Copy requests to the canary.
    pub mirror: bool,
    /// Keep a client on the side that it reached first (session affinity).
    pub affinity: bool,
    /// Route by the revisions of a Knative Service: such targets and this provider require each other.
    pub knative: bool,
    /// Its routes name a port of the Services, so that `spec.service.port` is required of target Services as well,
    /// which have ports of their own.
    pub needs_port: bool,
}

impl Capabilities {
    /// Whether a feature is among them.
    pub const fn has(self, feature: Feature) -> bool {
        match feature {
            Feature::Weights => self.weights,
            Feature::Matches => self.matches,
            Feature::Mirroring => self.mirror,
            Feature::SessionAffinity => self.affinity,
        }
    }
}
