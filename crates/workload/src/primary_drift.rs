//! Whether a primary still runs what was last written to it.
//!
//! Every write of a primary's pod template also writes its digest into an annotation of the Deployment (not of the
//! pods, which would be restarted by it). The cache keeps the digest of the live template anyway, so comparing the
//! two costs nothing. `flagger-id` alone is not enough: it is part of the template, stays when an image is edited by
//! hand, and is restored with the template when `kubectl rollout undo` restores a former one, as this annotation does
//! too.

use serde_json::Value;
use vexil_analysis::Revision;
use vexil_object::meta;

use crate::DeploymentView;

/// The annotation of a primary: the digest of the pod template that was last written to it.
pub(crate) const WRITTEN: &str = "flagger.app/written-template";

/// What became of the pod template that was written to a primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrimaryTemplate {
    /// It is what was written, and was copied from the revision that is asked for.
    AsWritten,
    /// It was changed by another writer (`kubectl edit`, `kubectl set image`, an admission webhook that changes what we
    /// write).
    Edited,
    /// It is a former one of ours, copied from another revision than the one that is asked for (`kubectl rollout undo`,
    /// or a restored backup).
    RolledBack,
    /// No digest was written: the primary was made by Flagger or by a release of Vexil that did not write one. The next
    /// promotion writes it; until then nothing can be said.
    Untracked,
}

/// The state of the template of `primary` that should be a copy of `held`. With `None` (not known
/// which revision it should be) it is only compared with what was written.
pub(crate) fn state(primary: &Value, held: Option<&Revision>) -> PrimaryTemplate {
    let view = DeploymentView::new(primary);
    let Some(written) = meta::annotation(primary, WRITTEN) else { return PrimaryTemplate::Untracked };
    if view.revision().is_none_or(|live| live.as_str() != written) {
        return PrimaryTemplate::Edited;
    }
    match held {
        Some(held) if !view.holds(held) => PrimaryTemplate::RolledBack,
        _ => PrimaryTemplate::AsWritten,
    }
}
