//! The options that creates, updates and patches have in common.

use http::Method;
use serde_json::json;

use super::super::{
    errors::{Cause, Fault, Reply, Status},
    request::Request,
};

/// Whether the options in the query are ones that the API knows.
///
/// # Errors
/// 422 for the first that is not.
pub(crate) fn check(request: &Request) -> Reply<()> {
    let kind = match request.method {
        Method::POST => "CreateOptions",
        Method::PUT => "UpdateOptions",
        Method::PATCH => "PatchOptions",
        _ => return Ok(()),
    };
    let refuse = |field: &str, fault: Fault, detail: &str| {
        Err(Status::invalid_options(kind, &Cause::new(field, fault, detail)))
    };
    if request.flag("force") && request.content_type() != "application/apply-patch+yaml" {
        return refuse("force", Fault::Forbidden, "may not be specified for non-apply patch");
    }
    let dry_run = request.param("dryRun");
    if !matches!(dry_run, "" | "All") {
        return refuse("dryRun", Fault::NotSupported(json!([dry_run])), "supported values: \"All\"");
    }
    let validation = request.param("fieldValidation");
    if !matches!(validation, "" | "Ignore" | "Strict" | "Warn") {
        let detail = "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"";
        return refuse("fieldValidation", Fault::NotSupported(json!(validation)), detail);
    }
    Ok(())
}
