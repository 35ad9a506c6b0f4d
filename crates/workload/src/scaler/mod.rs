//! What scales the target, and the copy that scales the primary.
//!
//! A scaler and a Canary both want to write `replicas`. The rule that keeps them apart: where the Canary names a
//! scaler, Vexil writes the target's replicas only to zero and up from zero, while the scaler is paused
//! ([`Scaler::pause`]), and the primary's never. The copy follows the user's scaler whole, fields of tomorrow included.

mod copy;
mod hpa;
mod keda;
mod leftovers;
mod query;
mod rivals;

use vexil_api::canary::ScalerRef;
use vexil_object::{Change, Kind, ObjectKey, Objects};

use crate::{Subject, WorkloadError};

pub(crate) use copy::deployment as scaled;
pub use leftovers::abandoned;
pub use rivals::rivals;
pub(crate) use rivals::scales_primary;

/// Every kind of scaler. A new one is a file that implements [`Scaler`], and a line here.
pub(crate) const SCALERS: &[&dyn Scaler] = &[&hpa::HorizontalPodAutoscalers, &keda::ScaledObjects];

/// One kind of scaler: the user's, which scales the target, and its copy `<name>-primary`, which scales the primary.
pub trait Scaler: Send + Sync {
    /// The kind of both.
    fn kind(&self) -> Kind;

    /// The objects it still has to see; for a kind that not every cluster serves its definition first.
    fn needs(&self, subject: &Subject<'_>, reference: &ScalerRef, have: &Objects) -> Vec<ObjectKey>;

    /// What makes the copy as wanted, in any phase; empty when it is.
    ///
    /// # Errors
    /// When the user's scaler is missing, not known or not the target's; when the copy would be refused (its name too
    /// long, its bounds upside down) or an object of its name is not ours.
    fn primary(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Vec<Change>, WorkloadError>;

    /// Pauses the user's scaler; `None` when it is paused, or when there is no such scaler.
    ///
    /// # Errors
    /// When it is not known.
    fn pause(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Option<Change>, WorkloadError>;

    /// Gives the target's replicas back to the user's scaler; `None` when it has them.
    ///
    /// # Errors
    /// When it is not known.
    fn resume(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Option<Change>, WorkloadError>;

    /// How many pods a rollout begins with: the minimum of the user's scaler, at least 1, and 1 when there is no such
    /// scaler.
    ///
    /// # Errors
    /// When it is not known.
    fn least(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<i64, WorkloadError>;
}

#[cfg(test)]
mod tests;
