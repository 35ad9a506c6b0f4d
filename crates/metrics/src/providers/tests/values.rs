//! Replies as the vendors document them, and the number in each.

use super::*;

const NO: &str = "no values found";

#[tokio::test]
async fn the_number_is_found_in_what_the_vendor_documents() {
    let csv = |kind: &str, rows: &str| {
        format!(
            "#datatype,string,long,dateTime:RFC3339,{kind}\n#group,false,false,false,false\n#default,_result,,,\n,result,table,_time,_value\n{rows}\n"
        )
    };
    let flow = |data: &str| {
        format!(
            "event: control-message\ndata: {{\n data: \"event\": \"STREAM_START\"}}\n\n{data}\nevent: control-message\ndata: {{\"event\":\"END_OF_CHANNEL\"}}\n\n"
        )
    };
    let point = |series: &str, value: &str| {
        format!(
            "event: data\ndata: {{\"data\":[{{\"tsId\":\"{series}\",\"value\":{value}}}],\"logicalTimestampMs\":1}}\n\n"
        )
    };
    let one = |body: &str| body.to_owned();
    let rows: Vec<(usize, String, Result<f64, &str>)> = vec![
        (
            1,
            one(r#"{"status":"ok","series":[{"pointlist":[[1577232000000,29325.1],[1577318400000,88.0]]}]}"#),
            Ok(29325.1),
        ),
        (1, one(r#"{"series":[{"pointlist":[[1577232000000,null],[1577318400000,88]]}]}"#), Ok(88.0)),
        (1, one(r#"{"series":[{"pointlist":[[1,null]]}]}"#), Err(NO)),
        (1, one(r#"{"series":[]}"#), Err(NO)),
        (
            1,
            one(r#"{"series":[{"pointlist":[[1,1]]},{"pointlist":[[1,2]]}]}"#),
            Err("query returned 2 series where one is needed, aggregate them"),
        ),
        (1, one(r#"{"status":"error","error":"bad MARKER"}"#), Err("error response: bad [hidden]")),
        (
            2,
            one(
                r#"{"result":[{"data":[{"timestamps":[1],"values":[1.2]},{"timestamps":[2],"values":[3.4]}]}]}"#,
            ),
            Ok(3.4),
        ),
        (
            2,
            one(
                r#"{"result":[{"data":[{"dimensions":["a"],"values":[1]},{"dimensions":["b"],"values":[2]}]}]}"#,
            ),
            Err("query returned 2 series where one is needed, aggregate them"),
        ),
        (2, one(r#"{"result":[{"data":[{"values":[null]}]}]}"#), Err(NO)),
        (2, one(r#"{"result":[]}"#), Err(NO)),
        (
            3,
            one(r#"{"kind":"ExternalMetricValueList","items":[{"metricName":"queue","value":"1111100u"}]}"#),
            Ok(1.1111),
        ),
        (3, one(r#"{"items":[{"value":"1.1111"}]}"#), Ok(1.1111)),
        (3, one(r#"{"items":[{"value":"2Ki"}]}"#), Ok(2048.0)),
        (3, one(r#"{"items":[{"value":"5E"}]}"#), Ok(5e18)),
        (3, one(r#"{"items":[{"value":"1e3"}]}"#), Ok(1000.0)),
        (3, one(r#"{"items":[]}"#), Err(NO)),
        (4, one(r#"[{"target":"a","datapoints":[[100,1],[50,2],[null,3]]}]"#), Ok(50.0)),
        (4, one(r#"[{"target":"a","datapoints":[["7.5",1]]}]"#), Ok(7.5)),
        (4, one(r#"[{"target":"a","datapoints":[[null,1]]}]"#), Err(NO)),
        (4, one("[]"), Err(NO)),
        (4, one(r#"[{"datapoints":[[1,1]]},{"datapoints":[[null,1]]}]"#), Ok(1.0)),
        (
            4,
            one(r#"[{"datapoints":[[1,1]]},{"datapoints":[[2,1]]}]"#),
            Err("query returned 2 series where one is needed, aggregate them"),
        ),
        (5, csv("double", ",,0,2020-06-18T16:36:00Z,1.4\n,,0,2020-06-18T16:37:00Z,6.6"), Ok(1.4)),
        (5, csv("long", ",,0,2020-06-18T16:36:00Z,3"), Ok(3.0)),
        (5, csv("double", ",,0,2020-06-18T16:36:00Z,\n,,0,2020-06-18T16:37:00Z,2"), Ok(2.0)),
        (
            5,
            csv("double", ",,0,2020-06-18T16:36:00Z,1\n,,1,2020-06-18T16:36:00Z,2"),
            Err("query returned 2 series where one is needed, aggregate them"),
        ),
        (5, one(""), Err(NO)),
        (
            5,
            one(
                "#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n,no bucket MARKER,897\n",
            ),
            Err("error response: no bucket [hidden]"),
        ),
        (
            6,
            one(
                r#"{"results":[{"statement_id":0,"series":[{"name":"y","columns":["time","mean"],"values":[[0,2.5]]}]}]}"#,
            ),
            Ok(2.5),
        ),
        (6, one(r#"{"results":[{"statement_id":0}]}"#), Err(NO)),
        (
            6,
            one(r#"{"results":[{"error":"database not found"}]}"#),
            Err("error response: database not found"),
        ),
        (
            6,
            one(r#"{"results":[{"series":[{"columns":["time","a","b"],"values":[[0,1,2]]}]}]}"#),
            Err("query returned multiple values"),
        ),
        (7, one(r#"{"results":[{"result":1.11}]}"#), Ok(1.11)),
        (7, one(r#"{"results":[{"average":4.5}]}"#), Ok(4.5)),
        (7, one(r#"{"results":[{"percentiles":{"99":0.2}}]}"#), Ok(0.2)),
        (7, one(r#"{"results":[{"min":1,"max":2}]}"#), Err("query returned multiple values")),
        (7, one(r#"{"results":[{"average":null}]}"#), Err(NO)),
        (7, one(r#"{"results":[]}"#), Err(NO)),
        (8, one(r#"{"data":{"actor":{"account":{"nrql":{"results":[{"count":1000}]}}}}}"#), Ok(1000.0)),
        (
            8,
            one(r#"{"data":{"actor":{"account":{"nrql":null}}},"errors":[{"message":"NRQL Syntax Error"}]}"#),
            Err("error response: NRQL Syntax Error"),
        ),
        (9, flow(&point("AA", "7")), Ok(7.0)),
        (9, flow(&(point("AA", "7") + &point("AA", "8.5") + &point("AA", "null"))), Ok(8.5)),
        (9, flow(&(point("AA", "7") + &point("BB", "8"))), Err("query returned multiple values")),
        (9, flow(&point("AA", "null")), Err(NO)),
        (
            9,
            one("event: error\ndata: {\"errors\":[{\"code\":\"ANALYTICS_PROGRAM_NAME_ERROR\"}]}\n\n"),
            Err(r#"error response: {"errors":[{"code":"ANALYTICS_PROGRAM_NAME_ERROR"}]}"#),
        ),
        (
            10,
            one(r#"{"MetricDataResults":[{"Id":"e1","Values":[100,50],"StatusCode":"Complete"}]}"#),
            Ok(100.0),
        ),
        (10, one(r#"{"MetricDataResults":[{"Id":"e1","Values":[]}]}"#), Err(NO)),
        (10, one(r#"{"MetricDataResults":[]}"#), Err(NO)),
    ];
    let cases = all();
    for (index, body, expect) in rows {
        let got = asked(&cases[index], &Script::says(&body)).await.map_err(|error| error.to_string());
        assert_eq!(got, expect.map_err(str::to_owned), "{} {body}", cases[index].0);
    }
}

/// What no server means as a number stays one that is not finite, which the check counts as no value.
#[tokio::test]
async fn not_a_number_is_no_finite_number_anywhere() {
    let nan = [
        (0, r#"{"data":{"result":[{"value":[1,"NaN"]}]}}"#),
        (4, r#"[{"datapoints":[["NaN",1]]}]"#),
        (5, "#datatype,string,long,double\n,result,table,_value\n,,0,NaN\n"),
    ];
    for (index, body) in nan {
        let got = asked(&all()[index], &Script::says(body)).await;
        assert!(got.as_ref().is_ok_and(|number| !number.is_finite()), "{body} {got:?}");
    }
}
