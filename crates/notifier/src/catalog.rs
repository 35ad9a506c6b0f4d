//! The kinds of services that an operator supports. The list is open: an operator adds its own to those of this crate.

use std::{fmt, sync::Arc};

use crate::{Notifier, services};

/// The kinds of services that an operator supports, by the `spec.type` of an AlertProvider.
#[derive(Clone)]
pub struct NotifierCatalog {
    notifiers: Vec<(&'static str, Arc<dyn Notifier>)>,
}

/// Everything that this crate has.
impl Default for NotifierCatalog {
    fn default() -> Self {
        NotifierCatalog { notifiers: services::all() }
    }
}

impl NotifierCatalog {
    /// Adds a kind of service, by the `spec.type` that users write. It replaces one of the same type.
    #[must_use]
    pub fn with_notifier(mut self, type_: &'static str, notifier: impl Notifier + 'static) -> Self {
        self.notifiers.retain(|(known, _)| *known != type_);
        self.notifiers.push((type_, Arc::new(notifier)));
        self
    }

    /// The service of a type; `None` for an unknown one.
    pub fn notifier(&self, type_: &str) -> Option<&dyn Notifier> {
        self.notifiers.iter().find(|(known, _)| *known == type_).map(|(_, notifier)| notifier.as_ref())
    }

    /// The types, in the order in which they were added.
    pub fn types(&self) -> Vec<&'static str> {
        self.notifiers.iter().map(|(type_, _)| *type_).collect()
    }
}

impl fmt::Debug for NotifierCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.types()).finish()
    }
}
