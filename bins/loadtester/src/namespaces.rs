//! Which namespaces may call: the flag `-namespace-regexp`.

use regex::Regex;

/// An expression that the namespace in a payload must match; without one every namespace may call.
#[derive(Clone, Debug, Default)]
pub struct Namespaces(Option<Regex>);

impl Namespaces {
    /// Reads the flag. The empty text allows all.
    ///
    /// # Errors
    /// When it is no regular expression.
    pub fn parse(text: &str) -> Result<Self, regex::Error> {
        match text {
            "" => Ok(Namespaces(None)),
            text => Regex::new(text).map(|expression| Namespaces(Some(expression))),
        }
    }

    /// Whether this namespace may call. The expression may match anywhere in it, as in Flagger's load tester.
    pub fn allow(&self, namespace: &str) -> bool {
        self.0.as_ref().is_none_or(|expression| expression.is_match(namespace))
    }

    /// Warning about an expression that does not cover the complete name.
    pub fn advice(&self) -> Option<String> {
        let Some(expression) = &self.0 else {
            return Some("-namespace-regexp is empty: callers may name any namespace".to_owned());
        };
        let text = expression.as_str();
        (!is_anchored(text)).then(|| {
            format!("-namespace-regexp {text:?} is not anchored with ^ and $: longer names match it as well")
        })
    }
}

/// Whether an expression covers the whole of what it matches: `^a$` and `^(a|b)$`, but not `^a|b$`.
fn is_anchored(text: &str) -> bool {
    let mut depth = 0_u32;
    let alternatives = text.chars().any(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    });
    text.starts_with('^') && text.ends_with('$') && !alternatives
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, namespace: &str, expect: bool) {
        let namespaces = Namespaces::parse(expression).unwrap();
        assert_eq!(namespaces.allow(namespace), expect, "{expression} {namespace}");
    }

    #[test]
    fn the_expression_matches_anywhere_unless_it_is_anchored() {
        check("", "anything", true);
        check("", "", true);
        check("test", "test", true);
        check("test", "my-test-2", true);
        check("test", "prod", false);
        check("^test$", "test", true);
        check("^test$", "my-test-2", false);
        check("^(test|stage)-[0-9]+$", "stage-12", true);
        check("test", "", false);
    }

    #[test]
    fn an_expression_that_is_not_anchored_is_pointed_out() {
        let advice = |text| Namespaces::parse(text).unwrap().advice().is_some();
        assert!(advice("") && advice("test") && advice("^test") && advice("^test|prod$"));
        assert!(!advice("^test$") && !advice("^(test|prod)$"));
        assert!(Namespaces::parse("(").is_err());
    }
}
