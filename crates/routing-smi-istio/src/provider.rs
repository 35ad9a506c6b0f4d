//! The version of the API and the mesh that a provider name says.

use serde_json::Value;
use vexil_object::Kind;

/// A version of the TrafficSplit API. One CRD has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Weights are quantities.
    V1Alpha1,
    /// Weights are numbers.
    V1Alpha2,
    /// As v1alpha2; a split may be limited to requests that match.
    V1Alpha3,
}

impl Version {
    pub(crate) const ALL: [Version; 3] = [Version::V1Alpha1, Version::V1Alpha2, Version::V1Alpha3];

    const fn name(self) -> &'static str {
        match self {
            Version::V1Alpha1 => "v1alpha1",
            Version::V1Alpha2 => "v1alpha2",
            Version::V1Alpha3 => "v1alpha3",
        }
    }

    /// The kind in this version.
    pub const fn kind(self) -> Kind {
        Kind::namespaced("split.smi-spec.io", self.name(), "TrafficSplit", "trafficsplits")
    }

    /// A weight as this version writes it.
    pub(crate) fn weight(self, percent: u8) -> Value {
        match self {
            Version::V1Alpha1 => percent.to_string().into(),
            Version::V1Alpha2 | Version::V1Alpha3 => percent.into(),
        }
    }

    /// Reads a weight. A quantity may be a number too; with a suffix or fraction it is not a percentage.
    pub(crate) fn percent(self, weight: &Value) -> Option<i64> {
        match (self, weight) {
            (Version::V1Alpha1, Value::String(text)) => {
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
            }
            (_, weight) => weight.as_i64(),
        }
    }
}

/// The mesh that reads the TrafficSplit. Only Istio's adapter gets an annotation, and Linkerd has series of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mesh {
    Istio,
    Linkerd,
    Other,
}

/// What a provider name says; `None` when it is not of this crate.
pub(crate) fn parse(provider: &str) -> Option<(Version, Mesh)> {
    if provider == "linkerd" {
        return Some((Version::V1Alpha1, Mesh::Linkerd));
    }
    let rest = provider.strip_prefix("smi:")?;
    let (first, mesh) = rest.split_once(':').map_or((rest, None), |(first, mesh)| (first, Some(mesh)));
    let version = Version::ALL.into_iter().find(|version| version.name() == first);
    let (version, mesh) = match (version, mesh) {
        (Some(version), mesh) => (version, mesh),
        (None, None) if !first.starts_with("v1alpha") => (Version::V1Alpha1, Some(first)),
        (None, _) => return None,
    };
    match mesh {
        Some("") => None,
        Some("istio") => Some((version, Mesh::Istio)),
        Some("linkerd") => Some((version, Mesh::Linkerd)),
        Some(_) | None => Some((version, Mesh::Other)),
    }
}
