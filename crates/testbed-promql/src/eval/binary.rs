//! Binary operators: arithmetic, comparisons and sets, and how the elements of two vectors find each other.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_MOD, T_MUL, T_NEQ, T_POW,
    T_SUB,
};
use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::{Element, Engine, QueryError, Value, computed, mistyped, unique, unsupported};
use crate::labels::Labels;
use crate::labels::escape;

/// What an operator makes of two numbers.
enum Outcome {
    /// A new number.
    Number(f64),
    /// An answer; without `bool` it decides whether the element stays.
    Holds(bool),
}

/// An operator with its `bool` modifier.
struct Operator {
    apply: fn(f64, f64) -> Outcome,
    as_number: bool,
}

impl Operator {
    fn of(node: &BinaryExpr) -> Result<Self, QueryError> {
        use Outcome::{Holds, Number};
        let apply: fn(f64, f64) -> Outcome = match node.op.id() {
            T_ADD => |a, b| Number(a + b),
            T_SUB => |a, b| Number(a - b),
            T_MUL => |a, b| Number(a * b),
            T_DIV => |a, b| Number(a / b),
            T_MOD => |a, b| Number(a % b),
            T_POW => |a, b| Number(a.powf(b)),
            T_ATAN2 => |a, b| Number(a.atan2(b)),
            T_EQLC => |a, b| Holds(a == b),
            T_NEQ => |a, b| Holds(a != b),
            T_GTR => |a, b| Holds(a > b),
            T_LSS => |a, b| Holds(a < b),
            T_GTE => |a, b| Holds(a >= b),
            T_LTE => |a, b| Holds(a <= b),
            _ => return Err(unsupported(&format!("the operator {}", node.op))),
        };
        Ok(Self { apply, as_number: node.return_bool() })
    }

    /// A filter keeps elements as they are, with their names; everything else computes something new.
    fn filters(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Holds(_)) && !self.as_number
    }

    /// The value of the result, none if the filter drops it. `kept` is the value of the element that is filtered.
    fn value(&self, outcome: Outcome, kept: f64) -> Option<f64> {
        match outcome {
            Outcome::Number(value) => Some(value),
            Outcome::Holds(holds) if self.as_number => Some(f64::from(u8::from(holds))),
            Outcome::Holds(holds) => holds.then_some(kept),
        }
    }
}

impl Engine<'_> {
    pub(super) fn binary(&self, node: &BinaryExpr, at_ms: i64) -> Result<Value, QueryError> {
        let (left, right) = (self.eval(&node.lhs, at_ms)?, self.eval(&node.rhs, at_ms)?);
        let matching = Matching::of(node.modifier.as_ref())?;
        match (left, right) {
            (Value::Vector(left), Value::Vector(right)) if node.op.is_set_operator() => {
                Ok(Value::Vector(sets(node, left, right, &matching)))
            }
            (Value::Vector(left), Value::Vector(right)) => {
                vectors(&Operator::of(node)?, left, right, &matching).map(Value::Vector)
            }
            (Value::Scalar(left), Value::Scalar(right)) => {
                let operator = Operator::of(node)?;
                let value = operator.value((operator.apply)(left, right), left);
                Ok(Value::Scalar(value.unwrap_or(f64::NAN)))
            }
            (Value::Vector(left), Value::Scalar(right)) => {
                with_scalar(&Operator::of(node)?, left, |apply, value| apply(value, right))
            }
            (Value::Scalar(left), Value::Vector(right)) => {
                with_scalar(&Operator::of(node)?, right, |apply, value| apply(left, value))
            }
            (Value::Vector(_) | Value::Scalar(_), other) | (other, _) => {
                Err(mistyped("scalar or instant vector", &other))
            }
        }
    }
}

fn with_scalar(
    operator: &Operator,
    elements: Vec<Element>,
    pair: impl Fn(fn(f64, f64) -> Outcome, f64) -> Outcome,
) -> Result<Value, QueryError> {
    let outcome = |value| pair(operator.apply, value);
    let value = |element: &Element| operator.value(outcome(element.value), element.value);
    // What the outcome is does not depend on the numbers, so any will do.
    let elements = if operator.filters(&outcome(0.0)) {
        elements.into_iter().filter(|element| value(element).is_some()).collect()
    } else {
        computed(elements, |number| operator.value(outcome(number), number).unwrap_or(f64::NAN))?
    };
    Ok(Value::Vector(elements))
}

/// Which labels decide that two elements belong together, and how many may be on each side.
struct Matching {
    labels: Option<LabelModifier>,
    cardinality: Cardinality,
}

enum Cardinality {
    OneToOne,
    /// `group_left(include)`: several elements on the left per element on the right.
    ManyToOne(Vec<String>),
    /// `group_right(include)`: the same from the other side.
    OneToMany(Vec<String>),
}

impl Matching {
    fn of(modifier: Option<&BinModifier>) -> Result<Self, QueryError> {
        let Some(modifier) = modifier else {
            return Ok(Self { labels: None, cardinality: Cardinality::OneToOne });
        };
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(unsupported("fill modifiers"));
        }
        let cardinality = match &modifier.card {
            VectorMatchCardinality::ManyToOne(include) => Cardinality::ManyToOne(include.labels.clone()),
            VectorMatchCardinality::OneToMany(include) => Cardinality::OneToMany(include.labels.clone()),
            VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => Cardinality::OneToOne,
        };
        Ok(Self { labels: modifier.matching.clone(), cardinality })
    }

    /// What must be equal on both sides.
    fn signature(&self, labels: &Labels) -> Labels {
        match &self.labels {
            None => labels.clone().nameless(),
            Some(LabelModifier::Include(on)) => labels.only(&on.labels),
            Some(LabelModifier::Exclude(ignoring)) => labels.except(&ignoring.labels).nameless(),
        }
    }

    /// The labels of a result: those of the many side with the included ones of the other, or those that matched.
    fn result(&self, many: &Labels, one: &Labels, keeps_name: bool) -> Labels {
        let labels = if keeps_name { many.clone() } else { many.clone().nameless() };
        match &self.cardinality {
            Cardinality::OneToOne => match &self.labels {
                None => labels,
                Some(LabelModifier::Include(on)) => labels.only(&on.labels),
                Some(LabelModifier::Exclude(ignoring)) => labels.except(&ignoring.labels),
            },
            Cardinality::ManyToOne(include) | Cardinality::OneToMany(include) => {
                include.iter().fold(labels, |labels, name| labels.with(name, one.get(name)))
            }
        }
    }
}

fn vectors(
    operator: &Operator,
    left: Vec<Element>,
    right: Vec<Element>,
    matching: &Matching,
) -> Result<Vec<Element>, QueryError> {
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let swapped = matches!(matching.cardinality, Cardinality::OneToMany(_));
    let (many, one, side) = if swapped { (right, left, "left") } else { (left, right, "right") };
    let one = by_signature(one, matching, side)?;
    let mut results = Vec::new();
    let mut used: BTreeSet<(Labels, Labels)> = BTreeSet::new();
    for element in many {
        let signature = matching.signature(&element.labels);
        let Some(partner) = one.get(&signature) else { continue };
        let (a, b) = if swapped { (partner.value, element.value) } else { (element.value, partner.value) };
        let outcome = (operator.apply)(a, b);
        let labels = matching.result(&element.labels, &partner.labels, operator.filters(&outcome));
        // Two results of one partner must differ, also if a comparison then drops them (Prometheus since 3.2).
        let (key, reason) = match matching.cardinality {
            Cardinality::OneToOne => {
                (Labels::default(), "many-to-one matching must be explicit (group_left/group_right)")
            }
            _ => (labels.clone(), "grouping labels must ensure unique matches"),
        };
        if !used.insert((signature, key)) {
            return Err(QueryError::Execution(format!("multiple matches for labels: {reason}")));
        }
        results.extend(operator.value(outcome, a).map(|value| Element { labels, value }));
    }
    unique(results)
}

/// The elements of the side on which each signature may stand only once.
fn by_signature(
    elements: Vec<Element>,
    matching: &Matching,
    side: &str,
) -> Result<BTreeMap<Labels, Element>, QueryError> {
    let mut found: BTreeMap<Labels, Element> = BTreeMap::new();
    for element in elements {
        let signature = matching.signature(&element.labels);
        if let Some(other) = found.get(&signature) {
            return Err(QueryError::Execution(format!(
                "found duplicate series for the match group {} on the {side} hand-side of the operation: \
                 [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                braced(&signature),
                braced(&other.labels),
                braced(&element.labels)
            )));
        }
        found.insert(signature, element);
    }
    Ok(found)
}

/// Labels as Prometheus writes them in this one message: the name is a label like any other.
fn braced(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn sets(node: &BinaryExpr, left: Vec<Element>, right: Vec<Element>, matching: &Matching) -> Vec<Element> {
    let signatures = |elements: &[Element]| -> BTreeSet<Labels> {
        elements.iter().map(|element| matching.signature(&element.labels)).collect()
    };
    let among =
        |set: &BTreeSet<Labels>, element: &Element| set.contains(&matching.signature(&element.labels));
    match node.op.id() {
        T_LOR => {
            let known = signatures(&left);
            let added = right.into_iter().filter(|element| !among(&known, element));
            left.into_iter().chain(added).collect()
        }
        id => {
            // `and` keeps what is on the right as well, `unless` what is not.
            let (others, wanted) = (signatures(&right), id == T_LAND);
            left.into_iter().filter(|element| among(&others, element) == wanted).collect()
        }
    }
}
