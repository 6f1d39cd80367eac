//! JSON that is cut, repeated, deep or malformed.

use super::*;

fn readable(bytes: &[u8]) -> (Object, Option<Flaw>) {
    match read(bytes) {
        Some(Read {
            value: Value::Object(object),
            flaw,
        }) => (object, flaw),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_wrong_with_one_member_does_not_cost_the_others() {
    for (text, flaw) in [
        (&b"{\"r\":\"new\",\"x\":\"Jos\xe9\"}"[..], Flaw::NotUtf8),
        (b"{\"x\":\"Jos\xe9\",\"r\":\"new\"}", Flaw::NotUtf8),
        (b"{\"Jos\xe9\":1,\"r\":\"new\"}", Flaw::NotUtf8),
        (br#"{"x":1,"r":"new","x":2}"#, Flaw::RepeatedKey),
        (br#"{"x":{"y":1,"y":1},"r":"new"}"#, Flaw::RepeatedKey),
        (br#"{"r":"new"} x"#, Flaw::JunkAround),
        (br#"{"r":"new"}{"r":"other"}"#, Flaw::JunkAround),
        (br#"{"r":"new","x":"#, Flaw::Truncated),
        (br#"{"r":"new","x":"half"#, Flaw::Truncated),
        (br#"{"r":"new","x":{"y":[1,"#, Flaw::Truncated),
        (br#"{"r":"new","#, Flaw::Truncated),
        (br#"{"r":"new""#, Flaw::Truncated),
        (br#"{"r":"new",}"#, Flaw::Malformed),
        (br#"{"x":NaN,"r":"new"}"#, Flaw::Malformed),
        (br#"{"x":undefined, "r":"new"}"#, Flaw::Malformed),
        (br#"{"x":01,"r":"new"}"#, Flaw::Malformed),
        (br#"{"x":1 "r":"new"}"#, Flaw::Malformed),
        (b"{\"x\":\"a\nb\",\"r\":\"new\"}", Flaw::Malformed),
        (br#"{"x":"\q","r":"new"}"#, Flaw::Malformed),
        (br#"{"x":"\ud800","r":"new"}"#, Flaw::Malformed),
        (br#"{"x":[1,2,],"r":"new"}"#, Flaw::Malformed),
        (br#"{"r":"new";"x":1}"#, Flaw::Malformed),
    ] {
        let (object, found) = readable(text);
        let shown = String::from_utf8_lossy(text);
        assert_eq!(object.text("r").map(Secret::expose), Some("new"), "{shown}");
        assert_eq!(found, Some(flaw), "{shown}");
        assert!(super::object(text).is_err(), "{shown}");
    }
    let deep = format!(r#"{{"x":{}{},"r":"new"}}"#, "[".repeat(5000), "]".repeat(5000));
    let (object, flaw) = readable(deep.as_bytes());
    assert_eq!((object.has_text("r"), flaw), (true, Some(Flaw::TooDeep)));
}

#[test]
fn a_text_that_is_cut_in_a_value_does_not_hold_that_value() {
    let whole = br#"{"access_token":"abc","refresh_token":"def"}"#;
    for end in 1..whole.len() {
        let Some(Read {
            value: Value::Object(object),
            flaw,
        }) = read(&whole[..end])
        else {
            panic!("{end}")
        };
        assert_eq!(flaw, Some(Flaw::Truncated), "{end}");
        assert_eq!(object.has_text("access_token"), end >= 21, "{end}");
        assert_eq!(object.has_text("refresh_token"), end >= 43, "{end}");
    }
}

#[test]
fn whole_members_of_a_token_answer_are_found_in_what_is_not_json() {
    for text in [
        &br#"<br /><b>Notice</b>: x in y.php {"access_token":"a","refresh_token":"r","expires_in":60}"#[..],
        br#"{'x':'y',"access_token" : "a", "refresh_token":"r","expires_in":60,"scope":"half"#,
        br#"{"x":{y:1},"access_token":"a","refresh_token":"r","expires_in":60,"id_token":"#,
        br#"for(;;);{"access_token":"a","note":"\"refresh_token\":\"no\"","refresh_token":"r","expires_in":60}"#,
    ] {
        let object = salvage(text, |name| name);
        let shown = String::from_utf8_lossy(text);
        assert_eq!(object.text("access_token").map(Secret::expose), Some("a"), "{shown}");
        assert_eq!(object.text("refresh_token").map(Secret::expose), Some("r"), "{shown}");
        assert_eq!(object.number("expires_in"), Some(60.0), "{shown}");
        assert!(!object.is_ambiguous("refresh_token"), "{shown}");
        assert!(!object.has_text("scope") && !object.has_text("id_token"), "{shown}");
    }
}

#[test]
fn valid_json_has_no_flaw_and_its_escapes_are_read() {
    let text = r#" {"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é","n":[-0.5e+10,0,{"x":null}],"t":true,"":""} "#;
    let (object, flaw) = readable(text.as_bytes());
    assert_eq!(flaw, None);
    let a = object.text("a").map(Secret::expose);
    assert_eq!(a, Some("\"\\/\u{8}\u{c}\n\r\té\u{1f600}é"));
    assert!(super::object(text.as_bytes()).is_ok());
    for other in ["", "x", "[]", "7", "\"text\"", "null"] {
        assert!(super::object(other.as_bytes()).is_err(), "{other}");
    }
}

#[test]
fn json_in_utf_16_is_read_with_and_without_its_mark() {
    let text = r#"{"a":"é😀"}"#;
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [
        little.clone(),
        big.clone(),
        [vec![0xff, 0xfe], little].concat(),
        [vec![0xfe, 0xff], big].concat(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
    ] {
        assert!(starts_as_json(&bytes));
        let (object, flaw) = readable(&bytes);
        assert_eq!(flaw, None);
        assert_eq!(object.text("a").map(Secret::expose), Some("é😀"));
    }
}

#[test]
fn numbers_are_kept_as_they_were_written() {
    for number in [
        "18446744073709551617",
        "18446744073709551616",
        "1e400",
        "-0",
        "1.50",
    ] {
        let (object, flaw) = readable(format!(r#"{{"id":{number}}}"#).as_bytes());
        assert!(matches!(object.get("id"), Some(Value::Number(found)) if found == number));
        assert_eq!(flaw, None);
    }
}

#[test]
fn a_name_with_different_values_is_ambiguous_and_one_with_the_same_is_not() {
    let (object, _) = readable(br#"{"a":"1","a":"1","b":"1","b":"2"}"#);
    assert!(!object.is_ambiguous("a") && object.is_ambiguous("b"));
    assert_eq!(object.text("b").map(Secret::expose), Some("2"));
}
