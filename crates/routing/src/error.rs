//! What can be wrong with a route, told so that the reader knows what to do.

/// Why a route cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// An object that is needed has not been looked at, or its last write has an unknown outcome: look, then ask again.
    #[error("{object} is not known yet")]
    NotKnown {
        /// The object.
        object: String,
    },
    /// There is no route object yet; rendering makes one.
    #[error("{object} does not exist")]
    Absent {
        /// The object.
        object: String,
    },
    /// The cluster does not serve the kind of object this router writes.
    #[error("the cluster does not serve {kinds}; install the CRDs of {product}, or choose another provider")]
    NotServed {
        /// The kinds that would do.
        kinds: String,
        /// Whose they are.
        product: &'static str,
    },
    /// The object belongs to somebody else.
    #[error("{object} is controlled by {owner} and is left alone; remove it or rename spec.service.name")]
    Foreign {
        /// The object.
        object: String,
        /// Its controller.
        owner: String,
    },
    /// The object has a field this router cannot make sense of.
    #[error("{object}: {path} {problem}")]
    Malformed {
        /// The object.
        object: String,
        /// Path of the field.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// This router cannot do what is asked.
    #[error("provider {router} does not support {what}")]
    Unsupported {
        /// The router's name.
        router: &'static str,
        /// What was asked.
        what: &'static str,
    },
}
