//! What can be wrong with a target or its primary, with messages that say what to do.

/// Why a workload cannot be judged, copied or scaled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// An object that is needed has not been looked at, or its last write has an unknown outcome: look, then ask again.
    #[error("{object} is not known yet")]
    NotKnown {
        /// The object.
        object: String,
    },
    /// The object does not exist. The message is that of a GET that was answered 404, as in Flagger.
    #[error("{noun} {name}.{namespace} get query error: {resource} \"{name}\" not found")]
    Missing {
        /// The kind as messages call it: `deployment`.
        noun: &'static str,
        /// The resource and its group: `deployments.apps`.
        resource: String,
        /// Name of the object.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// No label distinguishes the target's pods from those of the primary.
    #[error(
        "getSelectorLabel failed: {noun} {name}.{namespace} spec.selector.matchLabels must contain one of [{keys}]"
    )]
    Selector {
        /// The kind as messages call it: `deployment`.
        noun: &'static str,
        /// Name of the target.
        name: String,
        /// Its namespace.
        namespace: String,
        /// The candidate keys, separated by spaces.
        keys: String,
    },
    /// The primary's selector cannot be changed and no longer belongs to the target's.
    #[error(
        "{primary} selects its pods by {fixed}, which does not follow from spec.selector.matchLabels of {target}; \
         delete the primary to have it made anew"
    )]
    SelectorFixed {
        /// The primary.
        primary: String,
        /// Its selector: `key=value`.
        fixed: String,
        /// The target.
        target: String,
    },
    /// The checksums of what the target uses do not fit into the status.
    #[error(
        "target {name}.{namespace} uses {count} ConfigMaps and Secrets, whose names and checksums make {bytes} bytes \
         of status.trackedConfigs, at most {limit} fit; annotate those that are not part of a release with \
         flagger.app/config-tracking: disabled"
    )]
    TooManyConfigs {
        /// Name of the target.
        name: String,
        /// Its namespace.
        namespace: String,
        /// How many are tracked.
        count: usize,
        /// The size of `status.trackedConfigs` as JSON, in bytes.
        bytes: usize,
        /// The most that it may have, in bytes.
        limit: usize,
    },
    /// Pods of a DaemonSet are only replaced by a rolling update.
    #[error("daemonset {name}.{namespace} must have RollingUpdate strategy but have {found}")]
    Strategy {
        /// Name of the target.
        name: String,
        /// Its namespace.
        namespace: String,
        /// The strategy that was found.
        found: String,
    },
    /// A Service that is the target selects no pods, so its copies would lead nowhere.
    #[error(
        "service {name}.{namespace} has no spec.selector or is an ExternalName, so its copies would have no addresses; \
         give it a selector"
    )]
    NoPods {
        /// Name of the target.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// An object of the primary's name belongs to another owner.
    #[error("{object} is controlled by {owner} and is left alone; remove or rename it once nothing uses it")]
    Foreign {
        /// The object.
        object: String,
        /// Its controller.
        owner: String,
    },
    /// An object of the primary's name has no controller at all: made by hand, or restored from a backup without its
    /// owner references.
    #[error(
        "{object} is controlled by no Canary and is left alone; remove or rename it once nothing uses it, or, if it \
         was restored from a backup, add an owner reference to Canary {canary} with its uid and controller: true"
    )]
    Unowned {
        /// The object.
        object: String,
        /// The Canary whose it would be.
        canary: String,
    },
    /// A generated name would be refused by the API server.
    #[error("{what} {text} has {} characters, more than the {limit} that Kubernetes allows; shorten it", .text.len())]
    TooLong {
        /// What the text is.
        what: &'static str,
        /// The generated text.
        text: String,
        /// The limit in characters.
        limit: usize,
    },
    /// An object has not the shape that its kind promises, or is only a projection where the whole is needed.
    #[error("{object}: {path} {problem}")]
    Malformed {
        /// The object.
        object: String,
        /// Path of the field.
        path: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `spec.targetRef.kind` names a kind that is not in [`crate::WorkloadCatalog`].
    #[error("unknown canary target kind {kind}; use one of: {known}")]
    UnknownKind {
        /// What was asked for.
        kind: String,
        /// The kinds there are.
        known: String,
    },
    /// `spec.autoscalerRef.kind` names a kind that is not in [`crate::WorkloadCatalog`].
    #[error("unknown kind of scaler {kind} in spec.autoscalerRef; use one of: {known}")]
    UnknownScaler {
        /// What was asked for.
        kind: String,
        /// The kinds there are.
        known: String,
    },
    /// The cluster does not serve the kind of the scaler.
    #[error(
        "the cluster does not serve {kind} ({group}); install {by}, or name another scaler in spec.autoscalerRef"
    )]
    NotServed {
        /// The kind.
        kind: &'static str,
        /// Its API group.
        group: &'static str,
        /// What brings it.
        by: &'static str,
    },
    /// The scaler that the Canary names scales something else: a copy of it would not be the target's.
    #[error(
        "{scaler}: spec.scaleTargetRef names {found}, which is not the target Deployment {target}; name the target \
         there, or in spec.autoscalerRef the scaler of the target"
    )]
    OtherTarget {
        /// The scaler.
        scaler: String,
        /// What it scales.
        found: String,
        /// `spec.targetRef.name`.
        target: String,
    },
    /// The bounds of the primary's scaler exclude each other.
    #[error(
        "{scaler}: at least {min} and at most {max} pods cannot be; correct \
         spec.autoscalerRef.primaryScalerReplicas, or the bounds of {source_name}"
    )]
    Bounds {
        /// The primary's scaler.
        scaler: String,
        /// The user's scaler, whose bounds count where the Canary has none.
        source_name: String,
        /// The lower bound.
        min: i64,
        /// The upper bound.
        max: i64,
    },
}
