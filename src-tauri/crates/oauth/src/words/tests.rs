//! Texts of providers that are cleaned and shortened.

use super::*;
use crate::json;

fn said(text: &str) -> (Option<String>, Option<String>) {
    let words = of(&json::read(text.as_bytes()).unwrap().value, &[]);
    (words.error, words.description)
}

#[test]
fn the_words_of_a_refusal_are_found_in_many_shapes() {
    for (text, error, description) in [
        (r#"{"error":"invalid_grant"}"#, "invalid_grant", None),
        (
            r#"{"error":"invalid_grant","error_description":"One.\r\nTrace: 2","error_codes":[7],"suberror":"bad_token"}"#,
            "invalid_grant",
            Some("One. Trace: 2; bad_token"),
        ),
        (
            r#"{"error":"invalid_request","error_description":"a","message":"b","hint":"c"}"#,
            "invalid_request",
            Some("a; b; c"),
        ),
        (
            r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: x"}],"success":false}"#,
            "invalid_grant",
            Some("Refresh token invalid: x"),
        ),
        (
            r#"{"status":400,"message":"Invalid refresh token"}"#,
            "Invalid refresh token",
            None,
        ),
        (r#"{"status":401,"error":"Unauthorized"}"#, "Unauthorized", None),
        (
            r#"{"error":{"message":"Bad","type":"OAuthException","code":190}}"#,
            "OAuthException",
            Some("Bad"),
        ),
        (
            r#"{"error":{"code":401,"message":"No.","status":"UNAUTHENTICATED"}}"#,
            "UNAUTHENTICATED",
            Some("No."),
        ),
        (
            r#"{"errors":["token expired","again"]}"#,
            "token expired",
            Some("again"),
        ),
        (r#"{"error":["token expired"]}"#, "token expired", None),
        (r#"{"detail":"Token is gone"}"#, "Token is gone", None),
        (
            r#"{"detail":[{"loc":["body"],"msg":"bad token","type":"value_error"}]}"#,
            "value_error",
            Some("bad token"),
        ),
        (
            r#"{"type":"https://as.example/problem","title":"Bad Request","status":400,"detail":"expired"}"#,
            "Bad Request",
            Some("expired"),
        ),
        (
            r#"{"errorCode":"E0000011","errorSummary":"Invalid token"}"#,
            "E0000011",
            Some("Invalid token"),
        ),
        (r#"{"Message":"Gone"}"#, "Gone", None),
        (
            r#"{"Error":{"Code":"ExpiredToken","Message":"late"}}"#,
            "ExpiredToken",
            Some("late"),
        ),
        (
            r#"{"fault":{"faultstring":"Invalid Refresh Token","detail":{"errorcode":"keymanagement.x"}}}"#,
            "keymanagement.x",
            Some("Invalid Refresh Token"),
        ),
        (
            r#"{"error_code":"expired","reason":"old","hint":"sign in"}"#,
            "expired",
            Some("old; sign in"),
        ),
        (
            r#"{"errcode":40029,"errmsg":"invalid code"}"#,
            "40029",
            Some("invalid code"),
        ),
        (r#"{"code":20024,"msg":"no"}"#, "20024", Some("no")),
        (r#"{"ok":false,"error":"token_revoked"}"#, "token_revoked", None),
        (
            r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired"}]"#,
            "INVALID_SESSION_ID",
            Some("Session expired"),
        ),
        (r#""invalid refresh token""#, "invalid refresh token", None),
        (
            r#"{"refresh_token":["This field is unknown."]}"#,
            "refresh_token: This field is unknown.",
            None,
        ),
        (r#"{"outcome":{"error":"invalid_grant"}}"#, "invalid_grant", None),
        (r#"{"code":400}"#, "400", None),
        (r#"{"error":"no","error_description":"No"}"#, "no", None),
    ] {
        let expected = (Some(error.to_owned()), description.map(str::to_owned));
        assert_eq!(said(text), expected, "{text}");
    }
    for nothing in [
        "{}",
        "[]",
        r#"{"a":1,"b":{"c":null}}"#,
        r#"{"error":null,"message":""}"#,
    ] {
        assert_eq!(said(nothing), (None, None), "{nothing}");
    }
}

#[test]
fn a_secret_that_the_server_repeats_is_not_shown() {
    let value = json::read(br#"{"message":"the token s3cret-token is unknown"}"#)
        .unwrap()
        .value;
    let words = of(&value, &[Zeroizing::new("s3cret-token".to_owned())]);
    assert_eq!(words.error.as_deref(), Some("the token … is unknown"));
}

#[test]
fn the_status_inside_of_an_answer_is_found() {
    for (text, status) in [
        (r#"{"status":401,"error":"x"}"#, Some(401)),
        (r#"{"error":{"code":"503"}}"#, Some(503)),
        (r#"{"statusCode":429}"#, Some(429)),
        (r#"{"status":200}"#, None),
        (r#"{"code":40029}"#, None),
        (r#"{"status":"error"}"#, None),
    ] {
        let object = json::object(text.as_bytes()).unwrap();
        assert_eq!(inner_status(&object), status, "{text}");
    }
}
