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

use crate::{Analysis, Canary, CanarySpec};

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
    /// The providers there are, for the message about one that is not.
    pub known_providers: &'a [&'a str],
    /// What the router of this Canary's provider can do; `None` when no router answers to its name.
    pub router: Option<RouterAbilities>,
    /// Whether references to other namespaces are forbidden (`-no-cross-namespace-refs`).
    pub no_cross_namespace_refs: bool,
}

/// What a router can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterAbilities {
    /// Split by weight.
    pub weights: bool,
    /// Send only matching requests to the canary.
    pub matches: bool,
    /// Copy requests to the canary.
    pub mirror: bool,
    /// Keep a client on the side it first met.
    pub affinity: bool,
    /// Routes by the revisions of a Knative Service: such targets and this router belong together.
    pub knative: bool,
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

    /// What the router can do. An unknown one is a defect of its own, so nothing else is said against it.
    fn router(&self) -> RouterAbilities {
        self.context.router.unwrap_or(RouterAbilities {
            weights: true,
            matches: true,
            mirror: true,
            affinity: true,
            knative: self.is_knative(),
        })
    }

    /// Whether the target is a Knative Service (`operator.md` section 7).
    fn is_knative(&self) -> bool {
        let target = &self.spec.target_ref;
        target.kind == "Service" && target.api_version.as_deref() == Some("serving.knative.dev/v1")
    }
}
