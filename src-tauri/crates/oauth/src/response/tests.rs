//! `Retry-After` and media types.

use super::*;

/// Checklist A4.12: `Retry-After` as seconds or as a date, clamped to 1 s..1 h.
#[test]
fn retry_after_is_read_in_both_forms_and_kept_between_a_second_and_an_hour() {
    let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
    assert!(date.is_some());
    for (value, seconds) in [
        ("120", 120),
        (" 5 ", 5),
        ("0", 1),
        ("86400", 3600),
        ("99999999999999999999999999", 3600),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 1),
        ("Sat, 06 Nov 2094 08:49:00 GMT", 3600),
    ] {
        assert_eq!(
            retry_after(value, date),
            Some(Duration::from_secs(seconds)),
            "{value}"
        );
    }
    for rubbish in ["", "-5", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "١٢"] {
        assert_eq!(retry_after(rubbish, date), None, "{rubbish}");
    }
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:51:37 GMT", None), None);
}

#[test]
fn media_types_are_read_without_case_and_parameters() {
    assert_eq!(Media::of("Application/JSON; charset=utf-8"), Media::Json);
    assert_eq!(Media::of("application/problem+json"), Media::Json);
    assert_eq!(Media::of("text/HTML;charset=x"), Media::Html);
    assert_eq!(Media::of("application/x-www-form-urlencoded"), Media::Form);
    assert_eq!(Media::of(""), Media::Other);
}
