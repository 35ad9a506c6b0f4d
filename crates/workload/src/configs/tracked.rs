//! The ConfigMaps and Secrets that a target depends on, and the revision that they make with its pod template.
//!
//! A revision is the digest of the pod template, followed by a digest of the tracked checksums where there are any. So
//! a changed Secret is a new revision like a changed image: it is analysed, promoted, reverted and rolled back by the
//! same rules, and the engine knows nothing of ConfigMaps.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use vexil_analysis::Revision;
use vexil_object::{ObjectKey, Objects, Seen};

use super::{checksum, copies, references::ConfigReferences};
use crate::{ConfigName, Subject, WorkloadError};

/// `status.trackedConfigs`: a checksum by `configmap/<name>` or `secret/<name>`.
pub type TrackedConfigs = BTreeMap<String, String>;

/// The objects that [`tracked`] has to see: what a target names, and the primary's copies of it.
pub fn config_needs(subject: &Subject<'_>, references: &ConfigReferences, have: &Objects) -> Vec<ObjectKey> {
    if !subject.settings.config_tracking {
        return Vec::new();
    }
    let both = references
        .iter()
        .flat_map(|(name, _)| [name.source(subject.namespace), name.copy(subject.namespace)]);
    both.filter(|key| !have.has(key)).collect()
}

/// The checksums of what a target names and is tracked; empty if tracking is disabled.
///
/// # Errors
/// If an object is not known, a required one is missing, a copy of that name does not belong to a Canary, or the
/// checksums do not fit into the status.
pub fn tracked(
    subject: &Subject<'_>,
    references: &ConfigReferences,
    have: &Objects,
) -> Result<TrackedConfigs, WorkloadError> {
    let mut found = TrackedConfigs::new();
    if !subject.settings.config_tracking {
        return Ok(found);
    }
    for (name, required) in references.iter() {
        let key = name.source(subject.namespace);
        let object = match have.get(&key) {
            Seen::Present(object) => object,
            Seen::NotKnown => return Err(WorkloadError::NotKnown { object: key.to_string() }),
            Seen::Absent if required => return Err(missing(name, subject.namespace)),
            Seen::Absent => continue,
        };
        if let Some(sum) = checksum::of(object) {
            copies::own(subject, name, have)?;
            found.insert(name.to_string(), sum.into_owned());
        }
    }
    check_size(subject, &found)?;
    Ok(found)
}

/// The most that `status.trackedConfigs` may have, in bytes of JSON: what else the status of a Canary holds needs the
/// rest of its limit.
const TRACKED_LIMIT: usize = 48 << 10;

fn check_size(subject: &Subject<'_>, tracked: &TrackedConfigs) -> Result<(), WorkloadError> {
    // Quotes, colon and comma.
    let bytes = tracked.iter().map(|(name, sum)| name.len() + sum.len() + 6).sum();
    if bytes <= TRACKED_LIMIT {
        return Ok(());
    }
    Err(WorkloadError::TooManyConfigs {
        name: subject.target.to_owned(),
        namespace: subject.namespace.to_owned(),
        count: tracked.len(),
        bytes,
        limit: TRACKED_LIMIT,
    })
}

fn missing(name: &ConfigName, namespace: &str) -> WorkloadError {
    WorkloadError::Missing {
        noun: name.noun(),
        resource: name.kind().plural.to_owned(),
        name: name.name().to_owned(),
        namespace: namespace.to_owned(),
    }
}

/// Bytes of the digest of all checksums. The whole revision still fits a label value.
const KEPT: usize = 8;

/// The revision of a target with this pod template and these checksums.
pub(crate) fn revision(template: &Revision, tracked: &TrackedConfigs) -> Revision {
    if tracked.is_empty() {
        return template.clone();
    }
    let mut hash = Sha256::new();
    for (name, sum) in tracked {
        hash.update(format!("{name} {sum}\n"));
    }
    let digest: String = hash.finalize().iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect();
    Revision::new(format!("{template}-{digest}"))
}

/// Whether `revision` is one of a target with this pod template.
fn has_template(revision: &Revision, template: &Revision) -> bool {
    revision
        .as_str()
        .strip_prefix(template.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The revision that a copy of the target has, which shall be `expected`; `None` for whatever it is.
///
/// # Errors
/// The revision that was found instead.
pub(crate) fn copied(
    subject: &Subject<'_>,
    expected: Option<&Revision>,
    template: &Revision,
    tracked: &TrackedConfigs,
) -> Result<Revision, Revision> {
    let found = match expected {
        Some(expected) if !subject.settings.config_tracking => {
            untracked_revision(template.clone(), [expected])
        }
        _ => revision(template, tracked),
    };
    if expected.is_some_and(|expected| *expected != found) { Err(found) } else { Ok(found) }
}

/// The revision of a target whose configuration is not tracked: the first of those that the status remembers with the
/// same pod template, so that disabling tracking starts no rollout.
pub fn untracked_revision<'a>(
    template: Revision,
    remembered: impl IntoIterator<Item = &'a Revision>,
) -> Revision {
    remembered.into_iter().find(|known| has_template(known, &template)).cloned().unwrap_or(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configs(pairs: &[(&str, &str)]) -> TrackedConfigs {
        pairs.iter().map(|(name, sum)| ((*name).to_owned(), (*sum).to_owned())).collect()
    }

    #[test]
    fn a_revision_changes_with_a_checksum_and_with_the_set_of_objects() {
        let template = Revision::new("v1-3005763919c0c18aedc7cd36e65a2d7ff24ec33f");
        let all = [
            configs(&[]),
            configs(&[("configmap/a", "1")]),
            configs(&[("configmap/a", "2")]),
            configs(&[("secret/a", "1")]),
            configs(&[("configmap/a", "1"), ("secret/a", "1")]),
        ];
        let revisions: Vec<_> = all.iter().map(|configs| revision(&template, configs)).collect();
        for (at, one) in revisions.iter().enumerate() {
            assert!(one.as_str().len() <= 63 && has_template(one, &template), "{one}");
            for (other_at, other) in revisions.iter().enumerate() {
                assert_eq!(one == other, at == other_at, "{one} {other}");
            }
        }
        assert_eq!(revisions.first(), Some(&template), "without configuration it is the template's");
        // Never changes between releases of Vexil.
        assert_eq!(
            revisions.get(1).map(Revision::as_str),
            Some("v1-3005763919c0c18aedc7cd36e65a2d7ff24ec33f-85dc1b708b24f576")
        );
    }

    #[test]
    fn without_tracking_a_remembered_revision_with_the_same_template_counts() {
        let [a, a1, a2, b] = ["v1-a", "v1-a-1", "v1-a-2", "v1-b"].map(Revision::new);
        let check = |template: &Revision, remembered: &[&Revision], expect: &Revision| {
            assert_eq!(untracked_revision(template.clone(), remembered.iter().copied()), *expect);
        };
        check(&a, &[], &a);
        check(&a, &[&a1, &a2], &a1);
        check(&a, &[&b, &a2], &a2);
        check(&b, &[&a1], &b);
        check(&Revision::new("v1-"), &[&a1], &Revision::new("v1-"));
    }
}
