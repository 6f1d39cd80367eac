//! Hostile redirects (security.md, Redirects; checklist A3): refused as text, before any parser sees them.

use tokenry_core::Code;
use tokenry_oauth::redirect::{
    Means, Outcome, Redirected, Refused, judge_deep_link, judge_loopback, judge_pasted, judge_query,
};

fn code(redirected: &Redirected) -> &str {
    match &redirected.outcome {
        Outcome::Code(code) => code.expose(),
        Outcome::Error { error, .. } => panic!("{error}"),
    }
}

#[test]
fn a_deep_link_is_taken_in_its_four_spellings() {
    for spelling in [
        "io.github.tokenry:/cb/my-as",
        "io.github.tokenry:/cb/my-as/",
        "io.github.tokenry://cb/my-as",
        "io.github.tokenry://cb/my-as/",
    ] {
        let link =
            format!("{spelling}?code=a%2Fb+c&state=s%3D1&iss=https%3A%2F%2Fas.example&session_state=x");
        let redirected = judge_deep_link(&link).unwrap();
        assert_eq!(redirected.state.expose(), "s=1");
        assert_eq!(redirected.iss.as_deref(), Some("https://as.example"));
        assert_eq!(code(&redirected), "a/b c");
        assert_eq!(redirected.means, Means::DeepLink);
        assert_eq!(
            redirected.uri, "io.github.tokenry:/cb/my-as",
            "however it was spelt"
        );
    }
}

#[test]
fn a_request_to_the_loopback_listener_is_taken_at_one_path() {
    let redirected = judge_loopback("/cb/my-as?state=s&code=c").unwrap();
    assert_eq!((redirected.uri.as_str(), code(&redirected)), ("/cb/my-as", "c"));
    assert_eq!(redirected.means, Means::Loopback);
}

#[test]
fn no_other_scheme_path_or_spelling_is_a_link_to_us() {
    for address in [
        "IO.GITHUB.TOKENRY:/cb/x",
        "io.github.tokenry.evil:/cb/x",
        "io.github.tokenry:cb/x",
        "io.github.tokenry:///cb/x",
        "io.github.tokenry:/cb/x//",
        "io.github.tokenry:/cb//x",
        "io.github.tokenry:/",
        "io.github.tokenry:",
        "io.github.tokenry:/cb/%78",
        "io.github.tokenry:/cb/../x",
        "io.github.tokenry:/a/../cb/x",
        "io.github.tokenry:/cb/x;y",
        "io.github.tokenry:/cb/x&y",
        "io.github.tokenry://user@cb/x",
        "io.github.tokenry://cb:80/x",
        "io.github.tokenry:\\cb\\x",
        "http://127.0.0.1:1/cb/x",
        "/cb/x",
        "",
    ] {
        let refused = judge_deep_link(&format!("{address}?code=c&state=s")).unwrap_err();
        assert_eq!(refused, Refused::WrongPath, "{address}");
    }
    for target in ["//cb/x", "/cb/x/..", "cb/x", "*", "http://127.0.0.1:1/cb/x", ""] {
        assert_eq!(
            judge_loopback(&format!("{target}?code=c&state=s")).unwrap_err(),
            Refused::WrongPath,
            "{target}"
        );
    }
}

/// Everything about the query is the same on each way in.
fn refused_everywhere(query: &str, expected: Refused) {
    let short: String = query.chars().take(80).collect();
    let link = format!("io.github.tokenry:/cb/x?{query}");
    assert_eq!(judge_deep_link(&link).unwrap_err(), expected, "{short:?}");
    assert_eq!(
        judge_loopback(&format!("/cb/x?{query}")).unwrap_err(),
        expected,
        "{short:?}"
    );
    // White space is forgiven in what was pasted, and nothing else.
    if query.chars().any(|c| c.is_whitespace() && c != '\u{85}') {
        return;
    }
    assert_eq!(judge_pasted(&link).unwrap_err(), expected, "{short:?}");
    let loopback = format!("http://127.0.0.1:4711/cb/x?{query}");
    assert_eq!(judge_pasted(&loopback).unwrap_err(), expected, "{short:?}");
}

#[test]
fn control_characters_are_refused_raw_and_encoded() {
    for control in [
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{85}",
        "\u{9b}",
    ] {
        refused_everywhere(&format!("code=a{control}b&state=s"), Refused::ControlCharacter);
    }
    for control in [
        "%00", "%0a", "%0A", "%0d%0a", "%09", "%1b", "%7f", "%7F", "%C2%85", "%c2%9b",
    ] {
        refused_everywhere(&format!("code=a{control}b&state=s"), Refused::ControlCharacter);
        refused_everywhere(
            &format!("code=a&state=s&{control}=unknown"),
            Refused::ControlCharacter,
        );
    }
    for control in ["%00", "%1b", "%7f", "%C2%85", "%0b"] {
        refused_everywhere(
            &format!("error=e&state=s&error_description={control}"),
            Refused::ControlCharacter,
        );
    }
}

/// The response of Microsoft when the user does not agree.
#[test]
fn an_error_that_is_described_in_several_lines_is_taken_and_told_in_one() {
    let query = "error=access_denied&state=s&error_description=AADSTS65004%3a+User+declined+to+consent.%0d%0aTrace+ID%3a+1";
    let said = judge_query(query).unwrap().outcome;
    let described = "AADSTS65004: User declined to consent. Trace ID: 1";
    assert!(
        matches!(&said, Outcome::Error { description: Some(text), .. } if text == described),
        "{said:?}"
    );
    for elsewhere in [
        "error=a%0d%0ab&state=s",
        "error=e&state=s%0a",
        "error=e&state=s&error_uri=a%0a",
    ] {
        assert_eq!(judge_query(elsewhere).unwrap_err(), Refused::ControlCharacter);
    }
}

#[test]
fn wrong_characters_and_encodings_are_refused() {
    for wrong in ["a b", "ä", "\u{202e}", "a\u{2028}b", "日本"] {
        refused_everywhere(&format!("code={wrong}&state=s"), Refused::IllegalCharacter);
    }
    for wrong in [
        "%",
        "%4",
        "%zz",
        "%+1",
        "%g0",
        "%-1",
        "%ff",
        "%c0%af",
        "%ed%a0%80",
        "%u0041",
    ] {
        refused_everywhere(&format!("code=c&state=s&x={wrong}"), Refused::BadEncoding);
    }
    // Decoded once and not twice.
    let twice = judge_loopback("/cb/x?code=%250a&state=s").unwrap();
    assert_eq!(code(&twice), "%0a");
}

/// Checklist A1.9.
#[test]
fn a_repeated_parameter_is_refused_however_it_is_written() {
    for query in [
        "code=a&code=b&state=s",
        "code=a&state=s&state=s",
        "code=a&state=s&stat%65=s",
        "code=a&state=s&iss=x&iss=x",
        "code=a&state=s&unknown&unknown",
        "code=a&state=s&a+b=1&a%20b=2",
        "code=a&state=s&=1&=2",
        "error=a&error=b&state=s",
    ] {
        refused_everywhere(query, Refused::RepeatedParameter);
    }
}

#[test]
fn at_most_16_kib_and_32_parameters_are_looked_at() {
    refused_everywhere(
        &format!("code={}&state=s", "c".repeat(16 * 1024)),
        Refused::TooLong,
    );
    let many: String = (0..31).map(|n| format!("&p{n}=")).collect();
    refused_everywhere(&format!("code=c&state=s{many}"), Refused::TooManyParameters);
    refused_everywhere(
        &format!("code=c&state=s{}", "&".repeat(31)),
        Refused::TooManyParameters,
    );
    let most: String = (0..30).map(|n| format!("&p{n}=")).collect();
    assert!(judge_loopback(&format!("/cb/x?code=c&state=s{most}")).is_ok());
    let longest = format!("/cb/x?state=s&code={}", "c".repeat(16 * 1024 - 19));
    assert_eq!(longest.len(), 16 * 1024);
    assert!(judge_loopback(&longest).is_ok());
    assert_eq!(
        judge_loopback(&format!("{longest}c")).unwrap_err(),
        Refused::TooLong
    );
}

/// RFC 9700 §4.1.3: servers append `#_`, and Facebook `#_=_`.
#[test]
fn a_fragment_is_cut_off_before_anything_is_judged() {
    for fragment in [
        "#",
        "#_",
        "#_=_",
        "#state=t&code=d",
        "#?code=d",
        "#\u{1b}ä\n",
        "##",
    ] {
        for address in [
            "io.github.tokenry:/cb/x",
            "http://127.0.0.1:4711/cb/x",
            "https://pages.example/cb/x",
        ] {
            let answer = format!("{address}?code=c&state=s{fragment}");
            let pasted = judge_pasted(&answer).unwrap();
            assert_eq!((code(&pasted), pasted.state.expose()), ("c", "s"), "{answer:?}");
        }
        let link = judge_deep_link(&format!("io.github.tokenry:/cb/x?code=c&state=s{fragment}"));
        assert_eq!(code(&link.unwrap()), "c", "{fragment:?}");
        let request = judge_loopback(&format!("/cb/x?code=c&state=s{fragment}"));
        assert_eq!(code(&request.unwrap()), "c", "{fragment:?}");
        assert!(
            judge_query(&format!("code=c&state=s{fragment}")).is_ok(),
            "{fragment:?}"
        );
    }
    for query in ["#code=c&state=s", "code=c#&state=s"] {
        refused_everywhere(query, Refused::NoState);
    }
    let link = judge_deep_link("io.github.tokenry:/cb/x#?code=c&state=s");
    assert_eq!(link.unwrap_err(), Refused::NoState);
    let long = format!("code=c&state=s#{}", "x".repeat(17 * 1024));
    refused_everywhere(&long, Refused::TooLong);
}

/// Checklist A3.1.
#[test]
fn an_answer_needs_a_state_and_either_a_code_or_an_error() {
    for query in [
        "",
        "code=c",
        "code=c&state=",
        "code=c&state",
        "error=e",
        "code=c&State=s",
    ] {
        refused_everywhere(query, Refused::NoState);
    }
    for query in [
        "state=s",
        "state=s&code=",
        "state=s&error=",
        "state=s&response=jwt",
        "state=s&access_token=t",
    ] {
        refused_everywhere(query, Refused::NeitherCodeNorError);
    }
    refused_everywhere("state=s&code=c&error=e", Refused::CodeAndError);
    assert!(judge_loopback("/cb/x?state=s&code=c&error=").is_ok());
}

/// Checklist A3.2: a missing `iss` and an empty one are not the same.
#[test]
fn iss_is_kept_to_the_letter() {
    let iss = |query: &str| {
        judge_loopback(&format!("/cb/x?code=c&state=s{query}"))
            .unwrap()
            .iss
    };
    assert_eq!(iss(""), None);
    assert_eq!(iss("&iss="), Some(String::new()));
    assert_eq!(
        iss("&iss=https://AS.example:443/%2525/").as_deref(),
        Some("https://AS.example:443/%25/")
    );
}

/// Checklist A3.6: what the provider says is text.
#[test]
fn an_error_is_cleaned_and_cut() {
    let long = "x".repeat(1000);
    let query = format!("state=s&error=access%E2%80%AE_denied&error_description=%3Cscript%3E+{long}");
    let redirected = judge_loopback(&format!("/cb/x?{query}")).unwrap();
    let Outcome::Error {
        error, description, ..
    } = redirected.outcome
    else {
        panic!("an error")
    };
    assert_eq!(error, "access_denied");
    let description = description.unwrap();
    assert!(description.starts_with("<script> xxx") && description.chars().count() == 201);
}

#[test]
fn what_is_refused_says_why_and_shows_nothing_of_the_address() {
    for (query, code) in [
        ("code=CANARY&code=CANARY&state=s", Code::ValidationError),
        ("CANARY", Code::ValidationError),
    ] {
        let refused = judge_loopback(&format!("/cb/x?{query}")).unwrap_err();
        assert_eq!(refused.code(), code);
        assert!(!format!("{refused} {refused:?}").contains("CANARY"));
    }
    assert_eq!(
        judge_loopback(&"x".repeat(20_000)).unwrap_err().code(),
        Code::PayloadTooLarge
    );
}

/// security.md "Redirects": an answer without its address is judged no less strictly.
#[test]
fn the_query_of_an_answer_alone_is_judged_like_a_whole_address() {
    let good = judge_query("code=c%20d&state=s&iss=https%3A%2F%2Fas.example&session_state=x").unwrap();
    assert_eq!(
        (good.state.expose(), good.iss.as_deref()),
        ("s", Some("https://as.example"))
    );
    assert!(matches!(good.outcome, Outcome::Code(code) if code.expose() == "c d"));
    let said = judge_query("error=e%E2%80%AE&error_description=d&state=s").unwrap();
    assert!(matches!(said.outcome, Outcome::Error { error, .. } if error == "e"));
    for (query, refused) in [
        ("", Refused::NoState),
        ("code=c", Refused::NoState),
        ("code=c&state=", Refused::NoState),
        ("state=s", Refused::NeitherCodeNorError),
        ("code=c&error=e&state=s", Refused::CodeAndError),
        ("code=c&state=s&state=s", Refused::RepeatedParameter),
        ("code=c&%63ode=d&state=s", Refused::RepeatedParameter),
        ("code=c%0a&state=s", Refused::ControlCharacter),
        ("code=c%f&state=s", Refused::BadEncoding),
        ("code=ä&state=s", Refused::IllegalCharacter),
        (&"&".repeat(33), Refused::TooManyParameters),
        (&"x".repeat(17_000), Refused::TooLong),
    ] {
        assert_eq!(judge_query(query).err(), Some(refused), "{query}");
    }
}
