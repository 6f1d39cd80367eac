//! What servers in the wild call a success (providers.md, "What the evidence asks of the engine").

use crate::server::{Reply, Server, answer, http, json, provider, secret};
use tokenry_oauth::{Answer, refresh::refresh};

async fn refreshed(reply: Reply) -> Answer {
    let server = Server::start(reply).await;
    refresh(&http(), &provider(&server.url), &secret("r1"))
        .await
        .unwrap()
}

fn access(answer: &Answer) -> &str {
    answer.access_token.as_ref().unwrap().expose()
}

#[tokio::test]
async fn a_full_answer_is_read() {
    let body =
        r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r2","scope":"x y"}"#;
    let answer = refreshed(json("200 OK", body)).await;
    assert_eq!(access(&answer), "a");
    assert_eq!(answer.token_type, "Bearer");
    assert_eq!(answer.expires_in, Some(3600));
    assert_eq!(answer.refresh_token.unwrap().expose(), "r2");
    assert_eq!(answer.scope.unwrap().to_string(), "x y");
    assert_eq!(answer.account, None);
    assert_eq!(answer.complaint, None);
}

#[tokio::test]
async fn an_answer_with_nothing_but_a_token_is_enough() {
    let answer = refreshed(json("200 OK", r#"{"access_token":"a"}"#)).await;
    assert_eq!(answer.token_type, "Bearer");
    assert!(answer.expires_in.is_none(), "unknown, which is not for ever");
    assert!(answer.refresh_token.is_none(), "the old one stays");
    assert!(answer.scope.is_none(), "as requested");
}

/// After a rotation, an answer thrown away is a grant thrown away.
#[tokio::test]
async fn members_of_the_wrong_type_do_not_cost_the_token() {
    let body = r#"{"access_token":"a","token_type":1,"expires_in":{},"refresh_token":null,"scope":5,
                   "id_token":"rubbish","error":null,"error_description":[],"extra":{"deep":[1,{"a":"b"}]}}"#;
    let answer = refreshed(json("200 OK", body)).await;
    assert_eq!(answer.token_type, "Bearer");
    assert!(answer.expires_in.is_none() && answer.refresh_token.is_none() && answer.scope.is_none());
    assert!(answer.account.is_none());
}

#[tokio::test]
async fn any_2xx_any_case_and_other_media_types_will_do() {
    let body = r#"{"access_token":"a","token_type":"bearer","expires_in":"60"}"#;
    for reply in [
        json("201 Created", body),
        json("299 Fine", body),
        answer("200 OK", "", body),
        answer("200 OK", "Content-Type: text/plain\r\n", body),
        answer("200 OK", "Content-Type: text/html\r\n", body),
        answer("200 OK", "Content-Type: text/javascript;charset=UTF-8\r\n", body),
        json("200 OK", &format!("\u{feff}{body}\n")),
    ] {
        assert_eq!(refreshed(reply).await.expires_in, Some(60));
    }
}

#[tokio::test]
async fn a_form_is_read_as_github_sends_it() {
    let body = "access_token=a%2Bb&expires_in=28800&refresh_token=r2&scope=repo%2Cuser&token_type=bearer";
    for media in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain"] {
        let answer = refreshed(answer("200 OK", &format!("Content-Type: {media}\r\n"), body)).await;
        assert_eq!(access(&answer), "a+b");
        assert_eq!(answer.expires_in, Some(28800));
        assert_eq!(answer.scope.unwrap().to_string(), "repo user");
    }
}

#[tokio::test]
async fn an_answer_in_chunks_of_one_byte_is_read() {
    let body = r#"{"access_token":"a"}"#;
    let chunks: String = body.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = refreshed(Reply::Bytes(format!("{head}{chunks}0\r\n\r\n").into())).await;
    assert_eq!(access(&answer), "a");
}

#[tokio::test]
async fn an_answer_of_exactly_256_kib_is_read() {
    let body = r#"{"access_token":"a","pad":""}"#;
    let padded = body.replace(r#""""#, &format!(r#""{}""#, "x".repeat(256 * 1024 - body.len())));
    assert_eq!(padded.len(), 256 * 1024);
    assert_eq!(access(&refreshed(json("200 OK", &padded)).await), "a");
}
