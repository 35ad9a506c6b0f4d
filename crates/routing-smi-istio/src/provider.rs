//! What a provider's name says: the version of the API, and whose mesh it is.

use serde_json::Value;
use vexil_object::Kind;

/// A version of the TrafficSplit API. One definition serves them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Weights are quantities.
    V1Alpha1,
    /// Weights are numbers.
    V1Alpha2,
    /// As v1alpha2; a split may be limited to matching requests.
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

    /// The kind as this version has it.
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

    /// Reads one. A quantity may be written as a number too; suffixes and fractions are nobody's percentage.
    pub(crate) fn percent(self, weight: &Value) -> Option<i64> {
        match (self, weight) {
            (Version::V1Alpha1, Value::String(text)) => {
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
            }
            (_, weight) => weight.as_i64(),
        }
    }
}

/// Which mesh reads the TrafficSplit. Only Istio's adapter is told more than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mesh {
    Istio,
    Other,
}

/// What a provider's name asks for; `None` when it is none of ours.
pub(crate) fn parse(provider: &str) -> Option<(Version, Mesh)> {
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
        Some(_) | None => Some((version, Mesh::Other)),
    }
}
