//! A `multipart/form-data` body of text fields (RFC 7578).

/// A form and the header that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Makes a form of fields, in their order.
pub fn form(fields: &[(String, String)]) -> Form {
    let boundary = boundary(fields);
    let mut body = String::new();
    for (name, value) in fields {
        // What would end the name early is percent-encoded, as browsers do it.
        let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        body +=
            &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += &format!("--{boundary}--\r\n");
    Form { content_type: format!("multipart/form-data; boundary={boundary}"), body: body.into_bytes() }
}

/// A line that is in none of the values, so that none can end its field.
fn boundary(fields: &[(String, String)]) -> String {
    let free =
        |line: &String| !fields.iter().any(|(name, value)| value.contains(line) || name.contains(line));
    (0_u64..).map(|n| format!("vexil-form-{n:016}")).find(free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::form;

    fn check(fields: &[(&str, &str)], boundary: &str, expect: &str) {
        let fields: Vec<_> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let form = form(&fields);
        assert_eq!(form.content_type, format!("multipart/form-data; boundary={boundary}"));
        assert_eq!(String::from_utf8(form.body).unwrap(), expect.replace('\n', "\r\n"));
    }

    #[test]
    fn fields_stand_in_their_order_and_no_value_ends_its_field() {
        check(
            &[("org", "acme"), ("a\"b", "x y")],
            "vexil-form-0000000000000000",
            "--vexil-form-0000000000000000\nContent-Disposition: form-data; name=\"org\"\n\nacme\n\
             --vexil-form-0000000000000000\nContent-Disposition: form-data; name=\"a%22b\"\n\nx y\n\
             --vexil-form-0000000000000000--\n",
        );
        check(
            &[("org", "--vexil-form-0000000000000000--")],
            "vexil-form-0000000000000001",
            "--vexil-form-0000000000000001\nContent-Disposition: form-data; name=\"org\"\n\n\
             --vexil-form-0000000000000000--\n--vexil-form-0000000000000001--\n",
        );
    }
}
