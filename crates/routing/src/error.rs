//! Why a route cannot be read or written; each message says what to do.

use vexil_api::Feature;
use vexil_object::ObjectKey;

/// Why a route cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// An object that is needed was not observed, or the outcome of its last write is unknown: observe it and try
    /// again.
    #[error("{object} is not known yet")]
    NotKnown {
        /// The object.
        object: String,
    },
    /// There is no route object yet; rendering creates it.
    #[error("{object} does not exist")]
    Absent {
        /// The object.
        object: String,
    },
    /// The cluster does not serve the kind of object this router writes.
    #[error("the cluster does not serve {kinds}; install the CRDs of {product}, or choose another provider")]
    NotServed {
        /// The kinds, one of which must be served.
        kinds: String,
        /// The product that installs them.
        product: &'static str,
    },
    /// The object has another owner.
    #[error("{object} belongs to {owner} and is left alone; remove it or rename spec.service.name")]
    Foreign {
        /// The object.
        object: String,
        /// The owner, or that it has none.
        owner: String,
    },
    /// Drift: a field of ours has a value that this router never writes. Report it, then render, which corrects it.
    #[error("{object}: {path} {problem}")]
    Edited {
        /// The object.
        object: String,
        /// Path of the field.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The object has no place for our fields unless something that is not ours is removed. Rendering refuses it too: a
    /// person has to correct it.
    #[error("{object}: {path} {problem}")]
    Malformed {
        /// The object.
        object: String,
        /// Path of the field.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The object names no primary, which has to be made first. Rendering refuses it too.
    #[error("{object}: {path} {problem}")]
    NoPrimary {
        /// The object.
        object: String,
        /// Path of the field that names the primary.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The provider does not support what is asked. Validation of the Canary refuses the same feature.
    #[error("provider {provider} does not support {feature}")]
    Unsupported {
        /// The provider's name.
        provider: &'static str,
        /// The feature.
        feature: Feature,
    },
}

impl RouteError {
    /// [`RouteError::Edited`] at a path of an object.
    pub fn edited(key: &ObjectKey, path: impl Into<String>, problem: impl Into<String>) -> Self {
        RouteError::Edited { object: key.to_string(), path: path.into(), problem: problem.into() }
    }

    /// [`RouteError::Malformed`] at a path of an object.
    pub fn malformed(key: &ObjectKey, path: impl Into<String>, problem: impl Into<String>) -> Self {
        RouteError::Malformed { object: key.to_string(), path: path.into(), problem: problem.into() }
    }

    /// The error for a part that rendering replaces as a whole: any shape of it is drift.
    #[must_use]
    pub fn corrected(self) -> Self {
        match self {
            RouteError::Malformed { object, path, problem } => RouteError::Edited { object, path, problem },
            error => error,
        }
    }
}
