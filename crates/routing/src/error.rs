//! What can be wrong with a route, told so that the reader knows what to do.

use vexil_object::ObjectKey;

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
    #[error("{object} belongs to {owner} and is left alone; remove it or rename spec.service.name")]
    Foreign {
        /// The object.
        object: String,
        /// Its controller, or that it has none.
        owner: String,
    },
    /// A field of ours holds what this router never writes there: somebody has edited it. Tell that, then render:
    /// rendering puts it back.
    #[error("{object}: {path} {problem}")]
    Edited {
        /// The object.
        object: String,
        /// Path of the field.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The object has a shape in which our fields have no place, unless something that is not ours is thrown away.
    /// Rendering refuses it too: a person has to mend it.
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

impl RouteError {
    /// [`RouteError::Edited`] at a path of an object.
    pub fn edited(key: &ObjectKey, path: impl Into<String>, problem: impl Into<String>) -> Self {
        RouteError::Edited { object: key.to_string(), path: path.into(), problem: problem.into() }
    }

    /// [`RouteError::Malformed`] at a path of an object.
    pub fn malformed(key: &ObjectKey, path: impl Into<String>, problem: impl Into<String>) -> Self {
        RouteError::Malformed { object: key.to_string(), path: path.into(), problem: problem.into() }
    }
}
