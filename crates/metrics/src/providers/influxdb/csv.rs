//! Annotated CSV, as Flux answers: tables, each after a row that names the types of its columns.

use std::collections::BTreeSet;

use csv::{ReaderBuilder, StringRecord};
use vexil_egress::Reply;

use crate::{QueryError, providers::server::Server};

/// A table's types and names of columns.
#[derive(Default)]
struct Head {
    types: StringRecord,
    names: Option<StringRecord>,
}

impl Head {
    fn column(&self, name: &str) -> Option<usize> {
        self.names.as_ref()?.iter().position(|column| column == name)
    }
}

/// The first value of the one series in a reply.
pub(super) fn value(server: &Server, reply: &Reply, body: &[u8]) -> Result<f64, QueryError> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let (mut head, mut first, mut series) = (Head::default(), None, BTreeSet::new());
    for record in reader.records() {
        let record = record.map_err(|e| server.malformed(reply, &e.to_string()))?;
        match record.get(0).unwrap_or_default() {
            "#datatype" => head = Head { types: record, names: None },
            annotation if annotation.starts_with('#') => {}
            _ if head.names.is_none() => head.names = Some(record),
            _ => {
                if let Some(error) = head.column("error").and_then(|at| record.get(at)) {
                    return Err(server.refused(error));
                }
                let Some(at) = head.column("_value") else {
                    return Err(server.malformed(reply, "table has no column _value"));
                };
                let text = record.get(at).filter(|text| !text.is_empty());
                let Some(text) = text else { continue };
                let table = head.column("table").and_then(|at| record.get(at)).unwrap_or_default();
                series.insert(table.to_owned());
                let is_number = matches!(head.types.get(at), Some("double" | "long" | "unsignedLong"));
                let number = text.parse::<f64>().ok().filter(|_| is_number);
                let wrong = || {
                    let kind = head.types.get(at).unwrap_or("value without type");
                    server.malformed(reply, &format!("_value {text:?} is a {kind} and no number"))
                };
                first = Some(first.map_or_else(|| number.ok_or_else(wrong), Ok)?);
            }
        }
    }
    match (series.len(), first) {
        (0..=1, Some(value)) => Ok(value),
        (0..=1, None) => Err(QueryError::NoValues),
        (many, _) => Err(QueryError::ManySeries(many)),
    }
}
