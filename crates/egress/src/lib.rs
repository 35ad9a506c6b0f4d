//! The HTTP client for addresses that users write, with limits and an address policy. No other crate of the operator
//! may call such an address.
//!
//! Hooks, metric servers and alert receivers are addresses that users write, so every call is bounded in time and
//! size, follows redirects only where the caller allows it, and never reaches a link-local or cloud metadata address,
//! whatever a name resolves to, nor one that is not on the administrator's list ([`Allowed`]). Callers hold a
//! [`Transport`], which tests answer in the process; the operator gives them [`Egress`].
//!
//! ```
//! use vexil_egress::{CallError, Egress, Request, Transport, parse_url};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! rustls::crypto::ring::default_provider().install_default().map_err(|_| "TLS is set up already")?;
//! let egress = Egress::new()?;
//!
//! let credentials_of_the_machine = parse_url("http://169.254.169.254/latest/meta-data/")?;
//! let answer = egress.call(Request::get(credentials_of_the_machine)).await;
//! assert!(matches!(answer, Err(CallError::Refused { .. })));
//! # Ok(())
//! # }
//! ```

mod allow_list;
mod clients;
mod egress;
mod error;
mod policy;
mod resolve;
mod secret;
mod transport;
mod url;

pub use allow_list::{Allowed, BadEntry};
pub use egress::{Egress, Rules, SetupError};
pub use error::CallError;
pub use reqwest::Url;
pub use secret::Secret;
pub use transport::{Method, Oversize, Redirects, Reply, Request, Transport, printable};
pub use url::{parse_url, shown};
