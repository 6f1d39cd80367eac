//! Tests of changes in JSON texts.

use super::*;
use serde_json::json;

fn path(dotted: &str) -> Vec<String> {
    dotted.split('/').map(str::to_owned).collect()
}

fn added(text: &str, dotted: &str, value: &Value) -> String {
    set(text, &path(dotted), value).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Texts of all kinds, each with a member added and the result.
const TEXTS: [(&str, &str); 14] = [
    ("", "{\n  \"a\": {\n    \"x\": 1\n  }\n}\n"),
    ("{}", "{\n  \"a\": {\n    \"x\": 1\n  }\n}"),
    ("{\"b\": 2}", "{\"b\": 2, \"a\": {\"x\":1}}"),
    ("{\"a\":{\"y\":2}}\n", "{\"a\":{\"y\":2, \"x\": 1}}\n"),
    (
        "{\n\t\"b\": 2\n}\n",
        "{\n\t\"b\": 2,\n\t\"a\": {\n\t\t\"x\": 1\n\t}\n}\n",
    ),
    (
        "{\n    \"a\": {}\n}\n",
        "{\n    \"a\": {\n        \"x\": 1\n    }\n}\n",
    ),
    (
        "{\n  \"a\": {\n    \"y\": [1, {\"z\": 2}]\n  },\n  \"b\": 3\n}",
        "{\n  \"a\": {\n    \"y\": [1, {\"z\": 2}],\n    \"x\": 1\n  },\n  \"b\": 3\n}",
    ),
    (
        "\u{feff}{\r\n  \"b\": 2\r\n}\r\n",
        "\u{feff}{\r\n  \"b\": 2,\r\n  \"a\": {\r\n    \"x\": 1\r\n  }\r\n}\r\n",
    ),
    (
        "// top\n{\n  \"b\": 2, // of b\n  /* between */\n}\n",
        "// top\n{\n  \"b\": 2, // of b\n  /* between */\n  \"a\": {\n    \"x\": 1\n  }\n}\n",
    ),
    (
        "{\n  \"b\": 2 // of b\n}\n",
        "{\n  \"b\": 2, // of b\n  \"a\": {\n    \"x\": 1\n  }\n}\n",
    ),
    (
        "{\n  \"a\": {\n    // nothing yet\n  }\n}\n",
        "{\n  \"a\": {\n    // nothing yet\n    \"x\": 1\n  }\n}\n",
    ),
    (
        "{\"a\": {\"y\": \"}\\\"{ // no comment\"}}",
        "{\"a\": {\"y\": \"}\\\"{ // no comment\", \"x\": 1}}",
    ),
    (
        "{\"a\": {\"x\": 0}, \"b\": 1.50}",
        "{\"a\": {\"x\": 1}, \"b\": 1.50}",
    ),
    ("{\"a\": {\"x\": 1}}", "{\"a\": {\"x\": 1}}"),
];

#[test]
fn a_member_is_added_in_the_style_of_the_text_and_nothing_else_changes() {
    for (before, after) in TEXTS {
        assert_eq!(added(before, "a/x", &json!(1)), after, "{before:?}");
        assert_eq!(added(after, "a/x", &json!(1)), after, "twice: {before:?}");
    }
}

#[test]
fn what_was_added_is_removed_and_the_text_is_as_it_was() {
    for (before, after) in TEXTS {
        let (value, kept) = get(before, &path("a/x")).unwrap();
        // A new file is removed, not edited. A value that was there is set again.
        if before.is_empty() || value.is_some() {
            continue;
        }
        let removed = remove(after, &path("a/x"), kept).unwrap();
        let is_same = removed == before || parse(&removed).unwrap().value() == parse(before).unwrap().value();
        assert!(is_same, "{before:?} {removed:?}");
        if !before.contains("/*") {
            assert_eq!(removed, before);
        }
    }
}

#[test]
fn comments_and_other_members_survive_a_removal_anywhere() {
    for (before, after) in [
        ("{\"x\": 1, \"b\": 2}", "{ \"b\": 2}"),
        (
            "{\n  \"x\": 1, // ours\n  \"b\": 2\n}",
            "{ // ours\n  \"b\": 2\n}",
        ),
        (
            "{\n  // of b\n  \"b\": 2,\n  // of x\n  \"x\": 1\n}",
            "{\n  // of b\n  \"b\": 2\n  // of x\n}",
        ),
        ("{\n  \"b\": 2,\n  \"x\": 1,\n}", "{\n  \"b\": 2,\n}"),
        (
            "{\"a\": {\"c\": 1,}, \"b\": 2, \"x\": 1}",
            "{\"a\": {\"c\": 1,}, \"b\": 2,}",
        ),
        ("{\n  \"x\": 1\n}", "{}"),
        ("{ /* c */ \"x\": 1 }", "{ /* c */ }"),
        ("{\"b\": 2}", "{\"b\": 2}"),
    ] {
        assert_eq!(remove(before, &path("x"), 0).unwrap(), after, "{before:?}");
    }
}

#[test]
fn an_object_that_was_empty_before_stays() {
    let text = "{\n  \"a\": {\n    \"x\": 1\n  },\n  \"b\": 2\n}";
    assert_eq!(
        remove(text, &path("a/x"), 1).unwrap(),
        "{\n  \"a\": {},\n  \"b\": 2\n}"
    );
    assert_eq!(remove(text, &path("a/x"), 0).unwrap(), "{\n  \"b\": 2\n}");
}

#[test]
fn a_text_that_is_no_json_or_means_two_things_is_an_error() {
    let deep = "[".repeat(1000);
    for text in [
        "{",
        "[]",
        "{\"a\": [}",
        "{a: 1}",
        "{'a': 1}",
        "{\"a\": 1 \"b\": 2}",
        "{\"a\": 1}}",
        "{\"a\": 1, \"a\": {}}",
        "{\"a\": null}",
        "{\"a\": \"x\ny\"}",
        "{\"a\": \"",
        "{\"a\": \"\\",
        "{\"b\": nul}",
        "{\"b\": /* }",
        "x",
        "\u{feff}\u{feff}{}",
        &deep,
    ] {
        assert!(set(text, &path("a/x"), &json!(1)).is_err(), "{text:?}");
    }
    let error = set("{\n\n  \"secret\" 1}", &path("a"), &json!(1)).unwrap_err();
    assert_eq!(error, "a missing colon in line 3");
}
