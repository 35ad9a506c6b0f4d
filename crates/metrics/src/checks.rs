//! The objects that a check depends on.

use vexil_api::{Check, CheckSource};
use vexil_object::{ObjectKey, Objects};

use crate::{
    Subject,
    lookup::{secret_key, template_key},
};

/// The objects that a check still needs to see: the template, then its secret. Empty once `have` holds them.
pub fn needs(subject: &Subject<'_>, check: &Check<'_>, have: &Objects) -> Vec<ObjectKey> {
    let from_template = check.source == CheckSource::Template;
    let Some(reference) = check.metric.template_ref.as_ref().filter(|_| from_template) else {
        return Vec::new();
    };
    let template = template_key(subject, reference);
    let secret = secret_key(&template, have);
    [Some(template), secret].into_iter().flatten().filter(|key| !have.has(key)).collect()
}
