//! What is wrong with a Canary: every defect at once, each with the path of its field.
//!
//! [`parse`] turns an object into the types, [`validate`] judges them. Both are pure; what is known only to the
//! operator (its providers and what they can do) comes in the [`ValidationContext`].

mod analysis;
mod metrics;
mod names;
mod parse;
mod references;
mod scaler;
mod summary;
mod target;
mod unsupported;
mod webhooks;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::{Analysis, Canary, CanarySpec, Capabilities, Feature};

pub use names::is_dns_name;
pub use parse::{parse, parse_metric_template};
pub use summary::summary;

/// A mistake of the user: with it the Canary is not processed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Defect {
    /// Path of the field: `spec.analysis.metrics[0].name`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// Something the user should know; the Canary is processed all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remark {
    /// Path of the field.
    pub path: String,
    /// What there is to know.
    pub message: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// What the operator knows and a Canary must fit.
#[derive(Clone, Debug, Default)]
pub struct ValidationContext<'a> {
    /// The provider of Canaries that name none (`-mesh-provider`).
    pub default_provider: &'a str,
    /// All providers with their capabilities, for messages about a provider that does not exist or lacks a feature.
    pub known_providers: &'a [(&'a str, Capabilities)],
    /// The capabilities of this Canary's provider; `None` when it is unknown.
    pub router: Option<Capabilities>,
    /// Whether references to other namespaces are forbidden (`-no-cross-namespace-refs`).
    pub no_cross_namespace_refs: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// What must be mended, in the order of the contract.
    pub defects: Vec<Defect>,
    /// What should be known.
    pub remarks: Vec<Remark>,
}

impl Validation {
    /// Whether the Canary can be processed.
    pub fn is_ok(&self) -> bool {
        self.defects.is_empty()
    }

    fn defect(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.defects.push(Defect { path: path.into(), message: message.into() });
    }

    fn remark(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.remarks.push(Remark { path: path.into(), message: message.into() });
    }
}

/// Judges a Canary (`operator.md` section 7, and what the types cannot express).
pub fn validate(canary: &Canary, context: &ValidationContext<'_>) -> Validation {
    let subject = Subject {
        spec: &canary.spec,
        namespace: canary.metadata.namespace.as_deref().unwrap_or_default(),
        context,
    };
    let mut found = Validation::default();
    for rules in RULES {
        rules(&subject, &mut found);
    }
    found
}

/// A group of rules.
type Rules = fn(&Subject<'_>, &mut Validation);

/// All groups, in the order their defects are told.
const RULES: [Rules; 8] = [
    target::check,
    references::check,
    scaler::check,
    analysis::check,
    metrics::check,
    webhooks::check,
    names::check,
    unsupported::check,
];

/// What is judged.
struct Subject<'a> {
    spec: &'a CanarySpec,
    namespace: &'a str,
    context: &'a ValidationContext<'a>,
}

impl<'a> Subject<'a> {
    /// The analysis and its path.
    fn analysis(&self) -> Option<(String, &'a Analysis)> {
        let path = format!("spec.{}", self.spec.analysis_field());
        self.spec.analysis().map(|analysis| (path, analysis))
    }

    /// Name of the provider that counts.
    fn provider(&self) -> &'a str {
        self.spec.provider().unwrap_or(self.context.default_provider)
    }

    /// The capabilities of the provider. An unknown provider is a defect of its own, so it counts as capable of everything.
    fn router(&self) -> Capabilities {
        self.context.router.unwrap_or(Capabilities {
            weights: true,
            matches: true,
            mirror: true,
            affinity: true,
            knative: self.is_knative(),
        })
    }

    /// That the provider lacks a feature, and which providers have it.
    fn unsupported(&self, feature: Feature) -> String {
        let having = self.context.known_providers.iter().filter(|(_, can)| can.has(feature));
        let having: Vec<_> = having.map(|(name, _)| *name).collect();
        let instead = match having.as_slice() {
            [] => "no provider of this version does".to_owned(),
            [one] => format!("provider {one} does"),
            several => format!("providers {} do", several.join(", ")),
        };
        format!("provider {} does not support {feature}; {instead}", self.provider())
    }

    /// Whether the target is a Knative Service (`operator.md` section 7).
    fn is_knative(&self) -> bool {
        let target = &self.spec.target_ref;
        target.kind == "Service" && target.api_version.as_deref() == Some("serving.knative.dev/v1")
    }
}
