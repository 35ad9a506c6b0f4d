//! Alerts for chat services: the request of an alert, what the reply means, and where an AlertProvider points.
//!
//! Rendering and judging are pure ([`Notifier`]); [`send()`] joins them over a [`vexil_egress::Transport`]. A service
//! is one file in `services` and one line in its list; an operator adds its own with
//! [`NotifierCatalog::with_notifier`].
//!
//! ```
//! use vexil_analysis::AlertSeverity;
//! use vexil_notifier::{Alert, Destination, NotifierCatalog};
//!
//! let catalog = NotifierCatalog::default();
//! let to = Destination::at("slack", "https://hooks.slack.com/services/T0/B0/secret").expect("an address");
//! let alert = Alert::new("podinfo", "test", AlertSeverity::Info, "New revision detected.");
//! let request = catalog.notifier(to.type_()).expect("a known type").render(&to, &alert);
//! let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
//! assert_eq!(body["attachments"][0]["author_name"], "podinfo.test");
//! assert_eq!(format!("{to:?}"), "slack at hooks.slack.com", "no secret is shown");
//! ```

mod alert;
mod catalog;
mod destination;
mod lookup;
mod notifier;
mod rejection;
mod send;
mod services;

pub use alert::{Alert, Field};
pub use catalog::NotifierCatalog;
pub use destination::{AddressError, Destination};
pub use lookup::{LookupError, destination, needs, provider_key};
pub use notifier::Notifier;
pub use rejection::{Rejection, Scope};
pub use send::send;
