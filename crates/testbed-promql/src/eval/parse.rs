//! From text to an expression, within limits: the input is written by users.

use std::panic::catch_unwind;

use promql_parser::parser::Expr;

use super::QueryError;

/// Length of a query in bytes at most.
const MAX_QUERY_BYTES: usize = 8 * 1024;
/// How deep expressions may be nested; the evaluator recurses.
const MAX_DEPTH: usize = 100;

/// Parses and type-checks an expression.
pub(crate) fn parse(query: &str) -> Result<Expr, QueryError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(QueryError::BadData(format!("parse error: query longer than {MAX_QUERY_BYTES} bytes")));
    }
    // The parser panics on durations beyond what std holds, such as `x[1e300]`.
    let parsed = catch_unwind(|| promql_parser::parser::parse(query))
        .unwrap_or_else(|_| Err("duration out of range".to_owned()));
    let expr = parsed.map_err(|reason| QueryError::BadData(format!("parse error: {reason}")))?;
    if deeper_than(&expr, MAX_DEPTH) {
        return Err(QueryError::BadData(format!("parse error: nested deeper than {MAX_DEPTH}")));
    }
    Ok(expr)
}

fn deeper_than(expr: &Expr, limit: usize) -> bool {
    let Some(limit) = limit.checked_sub(1) else { return true };
    match expr {
        Expr::Aggregate(node) => {
            deeper_than(&node.expr, limit)
                || node.param.as_ref().is_some_and(|param| deeper_than(param, limit))
        }
        Expr::Unary(node) => deeper_than(&node.expr, limit),
        Expr::Binary(node) => deeper_than(&node.lhs, limit) || deeper_than(&node.rhs, limit),
        Expr::Paren(node) => deeper_than(&node.expr, limit),
        Expr::Subquery(node) => deeper_than(&node.expr, limit),
        Expr::Call(node) => node.args.args.iter().any(|arg| deeper_than(arg, limit)),
        _ => false,
    }
}
