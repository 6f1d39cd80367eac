//! A readable refresh token is never thrown away, whatever is wrong with the rest of the answer (security.md,
//! Refresh, 8a).

use crate::server::{Reply, Server, answer, http, json, provider, secret};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;
use tokenry_oauth::{Answer, Failure, refresh::refresh};

const GOOD: &str =
    r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r2","expires_in":60,"user_name":"Jose"}"#;

async fn refreshed(reply: Reply) -> Result<Answer, Failure> {
    let server = Server::start(reply).await;
    let result = refresh(&http(), &provider(&server.url), &secret("r1")).await;
    assert!(server.request().contains("accept-encoding: identity\r\n"));
    result
}

fn tokens(answer: &Answer) -> (Option<&str>, Option<&str>) {
    let access = answer.access_token.as_ref().map(|token| token.expose());
    (access, answer.refresh_token.as_ref().map(|token| token.expose()))
}

fn good() -> Reply {
    json("200 OK", GOOD)
}

#[tokio::test]
async fn tokens_are_taken_whatever_is_wrong_with_the_members_beside_them() {
    let cut = |end: usize| json("200 OK", &GOOD[..end]);
    let behind_the_token = GOOD.find(",\"expires_in").unwrap();
    for (name, reply, why) in [
        ("not UTF-8", good().with(b"Jose", b"Jos\xe9"), "UTF-8"),
        (
            "a repeated key",
            good().with(b"\"user_name\"", b"\"x\":1,\"x\":2,\"user_name\""),
            "repeats a key",
        ),
        ("something behind it", good().and(b" x"), "something else"),
        ("another object behind it", good().and(b"{}"), "something else"),
        (
            "a notice before it",
            good().map(|body| [b"Notice: x in y.php\n", body].concat()),
            "something else",
        ),
        (
            "a notice in HTML before it",
            good().map(|body| [b"<br />\n<b>Notice</b>: x<br />\n", body].concat()),
            "something else",
        ),
        (
            "too deep",
            good()
                .with(b"\"Jose\"", "[".repeat(99).as_bytes())
                .with(b"}", &[b']'; 99])
                .and(b"}"),
            "deep",
        ),
        (
            "a value that is not JSON",
            good().with(b"\"Jose\"", b"NaN"),
            "not valid JSON",
        ),
        (
            "a line break in a text",
            good().with(b"Jose", b"Jo\nse"),
            "not valid JSON",
        ),
        ("the end missing", cut(GOOD.len() - 1), "too early"),
        ("a text cut", cut(GOOD.len() - 3), "too early"),
        (
            "everything behind the token missing",
            cut(behind_the_token),
            "too early",
        ),
    ] {
        let answer = refreshed(reply).await.unwrap();
        assert_eq!(tokens(&answer), (Some("a"), Some("r2")), "{name}");
        let complaint = answer.complaint.unwrap();
        assert!(complaint.message.contains(why), "{name}: {}", complaint.message);
        assert!(complaint.message.contains("are used"), "{}", complaint.message);
        assert_eq!(complaint.retry, answer.expires_in.is_none(), "{name}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_behind_the_tokens_has_them() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n";
    let part = &GOOD[..GOOD.find(",\"user").unwrap()];
    for (reply, why) in [
        (Reply::Bytes(format!("{head}{part}").into()), "broke off"),
        (
            Reply::Stall(format!("{head}{part}").into()),
            "did not end in time",
        ),
        (
            json("200 OK", &GOOD.replace("Jose", &"x".repeat(300 * 1024))),
            "longer than 256 KiB",
        ),
    ] {
        let answer = refreshed(reply).await.unwrap();
        assert_eq!(tokens(&answer), (Some("a"), Some("r2")), "{why}");
        assert!(answer.complaint.unwrap().message.contains(why));
    }
    let form =
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n";
    let form = format!("{form}access_token=a&refresh_token=r2&scope=half-of-i");
    let answer = refreshed(Reply::Bytes(form.into())).await.unwrap();
    assert_eq!(tokens(&answer), (Some("a"), Some("r2")));
    assert_eq!(answer.scope, None, "it may be incomplete");
}

#[tokio::test]
async fn an_access_token_that_cannot_be_used_does_not_cost_the_refresh_token() {
    for (name, reply, why) in [
        ("another type", good().with(b"Bearer", b"DPoP"), "of type DPoP"),
        (
            "unfit for a header",
            good().with(b":\"a\"", b":\"a\\r\\nX: 1\""),
            "fit in a header",
        ),
        (
            "not UTF-8",
            good().with(b":\"a\"", b":\"a\xff\""),
            "fit in a header",
        ),
        (
            "two of them",
            good().with(b"{", b"{\"access_token\":\"b\","),
            "two access tokens",
        ),
        ("missing", good().with(b"access_token", b"token"), "missing"),
        ("empty", good().with(b":\"a\"", b":\"\""), "missing"),
        ("a number", good().with(b":\"a\"", b":7"), "missing"),
        (
            "an error beside it",
            good().with(b"{", b"{\"error\":\"invalid_scope\","),
            "invalid_scope",
        ),
    ] {
        let answer = refreshed(reply).await.unwrap();
        assert_eq!(tokens(&answer), (None, Some("r2")), "{name}");
        let complaint = answer.complaint.unwrap();
        assert!(complaint.message.contains(why), "{name}: {}", complaint.message);
        assert_eq!(complaint.retry, name != "another type", "{name}");
    }
}

#[tokio::test]
async fn of_two_refresh_tokens_the_last_is_kept_and_one_that_is_unreadable_is_none() {
    let two = refreshed(good().with(b"{", b"{\"refresh_token\":\"r0\","))
        .await
        .unwrap();
    assert_eq!(tokens(&two), (Some("a"), Some("r2")));
    assert!(two.complaint.unwrap().message.contains("two refresh tokens"));
    let same = refreshed(good().with(b"{", b"{\"refresh_token\":\"r2\","))
        .await
        .unwrap();
    assert_eq!(tokens(&same), (Some("a"), Some("r2")));
    let unreadable = refreshed(good().with(b"\"r2\"", b"\"r\xff\"")).await.unwrap_err();
    assert!(matches!(unreadable, Failure::Unanswered { .. }), "{unreadable:?}");
}

#[tokio::test]
async fn a_compressed_answer_is_read_although_none_was_asked_for() {
    let gzip = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let zlib = |body: &[u8]| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let raw = |body: &[u8]| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    for reply in [
        good().map(gzip).header("Content-Encoding: gzip"),
        good().map(gzip),
        good().map(zlib).header("Content-Encoding: deflate"),
        good().map(raw).header("content-encoding: Deflate"),
        good()
            .map(gzip)
            .map(gzip)
            .header("Content-Encoding: gzip\r\nContent-Encoding: gzip"),
        answer("200 OK", "", "access_token=a&refresh_token=r2&expires_in=60")
            .map(gzip)
            .header("Content-Encoding: x-gzip"),
    ] {
        let answer = refreshed(reply).await.unwrap();
        assert_eq!(tokens(&answer), (Some("a"), Some("r2")));
        assert_eq!(answer.complaint, None);
    }
    let refusal = json("400 Bad Request", r#"{"error":"invalid_grant"}"#).map(gzip);
    let refusal = refreshed(refusal.header("Content-Encoding: gzip"))
        .await
        .unwrap_err();
    assert!(matches!(refusal, Failure::InvalidGrant { .. }), "{refusal:?}");
    let unknown = good().map(|_| vec![0x28, 0xb5, 0x2f, 0xfd, 4, 0, 0x80]);
    let unknown = refreshed(unknown.header("Content-Encoding: zstd"))
        .await
        .unwrap_err();
    assert!(
        matches!(&unknown, Failure::Unanswered { message } if message.contains("compressed")),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn an_answer_in_utf_16_is_read() {
    let reply = good().map(|body| {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    });
    let answer = refreshed(reply).await.unwrap();
    assert_eq!(tokens(&answer), (Some("a"), Some("r2")));
    assert_eq!(answer.complaint, None);
}
