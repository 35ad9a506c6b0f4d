//! In place of the module `kubectl` where the feature is off: nothing of it is served.

/// Whether any of it is served.
pub(crate) const IS_SERVED: bool = false;

/// OpenAPI documents.
pub(crate) mod openapi {
    use serde_json::Value;

    use crate::registry::Registry;

    /// There are none.
    pub(crate) fn document(_: &Registry, _: &[&str]) -> Option<Value> {
        None
    }
}

/// Bodies in protobuf.
pub(crate) mod proto {
    use serde_json::Value;

    /// They cannot be read.
    pub(crate) fn object(_: &str, _: &[u8]) -> Option<Value> {
        None
    }
}

/// Strategic merge patches.
pub(crate) mod strategic {
    use serde_json::Value;

    use crate::{
        errors::{Reply, Status},
        schema::node::Node,
    };

    /// They are refused.
    pub(crate) fn apply(_: Node<'_>, _: &Value, _: &[u8]) -> Reply<Value> {
        Err(Status::unsupported_patch("strategic merge patches need the feature `kubectl`"))
    }
}

/// Tables.
pub(crate) mod table {
    use serde_json::Value;

    use crate::{Clock, registry::Resource};

    /// How much of each object a table has.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Include {
        /// Nothing.
        None,
        /// Its metadata.
        Metadata,
        /// All of it.
        Object,
    }

    /// Never asked for.
    pub(crate) fn table(_: &Resource, _: &[&Value], _: Value, _: Include, _: &Clock) -> Value {
        Value::Null
    }
}
