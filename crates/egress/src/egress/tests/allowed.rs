//! The list of allowed addresses, held against what is really called.

use super::*;

/// Sends a GET with a list of allowed addresses and returns the outcome.
async fn check_allowed(list: &str, host: &str, expect: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let egress = with(Rules { allowed: Allowed::parse(list).expect(list), in_pod: true });
    let result = tokio::select! {
        biased;
        result = egress.call(get(&format!("{host}:{port}"))) => result,
        end = serve(OK, listener, port) => panic!("the server ended: {end:?}"),
    };
    let outcome = match result {
        Ok(reply) if reply.private => {
            format!("{} and {} private bytes, {:?}", reply.status, reply.body.len(), reply.text(9))
        }
        Ok(reply) => format!("{} {}", reply.status, reply.text(1024)),
        Err(error) => error.to_string(),
    };
    assert_eq!(outcome.replace(&port.to_string(), "PORT"), expect, "{list} {host}");
}

#[tokio::test]
async fn only_addresses_of_the_list_are_called_and_names_by_what_they_lead_to() {
    let refused = |address: &str| format!("{address} is not allowed: {}", crate::allow_list::UNLISTED);
    check_allowed("127.0.0.0/8", "127.0.0.1", "200 fine").await;
    check_allowed("127.0.0.0/8", "good.test", "200 fine").await;
    check_allowed("good.test", "good.test", "200 fine").await;
    check_allowed("*.test", "good.test", "200 fine").await;
    check_allowed("good.test", "127.0.0.1", &refused("127.0.0.1:PORT")).await;
    check_allowed("10.0.0.0/8", "127.0.0.1", &refused("127.0.0.1:PORT")).await;
    check_allowed("10.0.0.0/8", "good.test", &refused("good.test:PORT (127.0.0.1)")).await;
    check_allowed("good.test:1,127.0.0.0/8", "good.test", &refused("good.test:PORT")).await;
    check_allowed("other.test", "good.test", &refused("good.test:PORT")).await;
    // A list opens nothing that is closed to all.
    let rule = "is not allowed: it is a link-local address";
    check_allowed("bad.test,169.254.0.0/16", "bad.test", &format!("bad.test:PORT (169.254.169.254) {rule}"))
        .await;
    check_allowed("169.254.169.254", "169.254.169.254", &format!("169.254.169.254:PORT {rule}")).await;
}

#[tokio::test]
async fn what_only_the_operators_own_pod_reaches_stays_out_of_messages() {
    check_allowed("", "127.0.0.1", r#"200 and 4 private bytes, """#).await;
    check_allowed("", "good.test", r#"200 and 4 private bytes, """#).await;
    check_allowed("127.0.0.1", "127.0.0.1", "200 fine").await;
    check(OK, |a| get(&a), "200 fine").await;
}
