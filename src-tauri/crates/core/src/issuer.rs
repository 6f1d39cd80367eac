//! Issuer identifiers, and the templates that servers with many tenants publish in place of one.

use url::Url;

/// The tenant of personal Microsoft accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Names that Microsoft's servers take for a tenant. Its id tokens always name the tenant itself.
const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

/// Names between braces that stand for the tenant.
const PLACEHOLDERS: [&str; 3] = ["{tenantid}", "{tenant}", "{tid}"];

/// Hosts at which the tenant is always a GUID, with what their issuers end in.
const MICROSOFT: [(&str, &str); 4] = [
    ("login.microsoftonline.com", "/v2.0"),
    ("login.microsoftonline.us", "/v2.0"),
    ("login.partner.microsoftonline.cn", "/v2.0"),
    ("sts.windows.net", "/"),
];

/// Google's id tokens may leave the scheme out.
const GOOGLE: (&str, &str) = ("https://accounts.google.com", "accounts.google.com");

/// The most aliases of an issuer, and their length in bytes.
const MAX_ALIASES: usize = 16;
const MAX_BYTES: usize = 2048;

/// Whether an issuer that an answer or an id token names is the expected one: the same text, letter by letter, as
/// the issuer or an alias; or one that a template stands for. `tenant` is the `tid` of the id token, which decides
/// then.
pub fn issuer_matches(issuer: &str, aliases: &[String], found: &str, tenant: Option<&str>) -> bool {
    (issuer == GOOGLE.0 && found == GOOGLE.1)
        || std::iter::once(issuer)
            .chain(aliases.iter().map(String::as_str))
            .any(|expected| expected == found || stands_for(expected, found, tenant))
}

/// Whether an issuer that a metadata document names is the template of the address it was looked up for: Microsoft's
/// documents for `common` and for a tenant's name have `{tenantid}` in its place.
pub fn is_template_of(found: &str, address: &str) -> bool {
    let (Some(template), Ok(url)) = (Template::of(found), address.parse::<Url>()) else {
        return false;
    };
    let rest = address.strip_prefix(template.before);
    let segment = rest.and_then(|rest| rest.strip_suffix(template.after));
    PLACEHOLDERS.contains(&template.tenant.to_ascii_lowercase().as_str())
        && MICROSOFT.iter().any(|(host, _)| url.host_str() == Some(host))
        && segment.is_some_and(|segment| !segment.is_empty() && !segment.contains('/'))
}

/// A segment of a path that stands for a tenant, and what is around it.
struct Template<'a> {
    before: &'a str,
    tenant: &'a str,
    after: &'a str,
}

impl<'a> Template<'a> {
    fn of(issuer: &'a str) -> Option<Self> {
        let path = issuer.find("://").map_or(0, |at| at + 3);
        let path = path + issuer.get(path..)?.find('/')? + 1;
        let mut at = path;
        for (number, segment) in issuer.get(path..)?.split('/').enumerate() {
            let is_placeholder = PLACEHOLDERS.contains(&segment.to_ascii_lowercase().as_str());
            if is_placeholder || (number == 0 && SHARED.contains(&segment)) {
                let (before, rest) = issuer.split_at_checked(at)?;
                let (tenant, after) = rest.split_at_checked(segment.len())?;
                return Some(Self {
                    before,
                    tenant,
                    after,
                });
            }
            at += segment.len() + 1;
        }
        None
    }
}

fn stands_for(expected: &str, found: &str, tenant: Option<&str>) -> bool {
    let Some(template) = Template::of(expected) else {
        return false;
    };
    let Some(rest) = found.strip_prefix(template.before) else {
        return false;
    };
    let (named, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_same_tenant = tenant.is_none_or(|tenant| tenant == named);
    let is_plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_');
    let fits = match template.tenant {
        "common" => is_guid(named),
        "organizations" => is_guid(named) && named != PERSONAL,
        "consumers" => named == PERSONAL,
        _ => !named.is_empty() && named.bytes().all(is_plain) && !matches!(named, "." | ".."),
    };
    // People leave the version out of the shared names.
    let is_shared = SHARED.contains(&template.tenant);
    let is_short = is_shared && matches!(template.after, "" | "/");
    let ends_well = after == template.after || (is_short && matches!(after, "" | "/" | "/v2.0"));
    is_same_tenant && fits && ends_well
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Why no answer could ever name this issuer; `is_safe` judges the address without its placeholder.
pub(crate) fn issuer_problem(issuer: &str, is_safe: impl Fn(&Url) -> bool) -> Option<String> {
    let template = Template::of(issuer);
    let filled_in = match &template {
        Some(Template { before, after, .. }) => format!("{before}{PERSONAL}{after}"),
        None => issuer.to_owned(),
    };
    let url = Url::parse(&filled_in)
        .ok()
        .filter(|url| is_safe(url) && url.query().is_none());
    let Some(url) = url.filter(|_| is_one_word(issuer)) else {
        return Some("must be an https address without query and fragment (RFC 8414, 2)".to_owned());
    };
    if let Some(wrong) = placeholder_problem(&filled_in) {
        return Some(wrong);
    }
    if let Some((before, _)) = issuer.split_once("/.well-known/") {
        let before = crate::clean(before);
        return Some(format!(
            "is the address of its metadata; the issuer is what the metadata calls so, such as {before}"
        ));
    }
    if issuer.strip_suffix('/') == Some(GOOGLE.0) {
        return Some(format!(
            "never matches: Google calls itself {}, without a slash",
            GOOGLE.0
        ));
    }
    let host = url.host_str().unwrap_or_default();
    let (_, ending) = MICROSOFT.iter().find(|(microsoft, _)| *microsoft == host)?;
    let is_shared = template.is_some_and(|template| SHARED.contains(&template.tenant));
    let tenant = url
        .path_segments()
        .and_then(|mut segments| segments.next())
        .unwrap_or_default();
    let has_ending = url.path() == format!("/{tenant}{ending}");
    (!is_guid(tenant) || !(has_ending || is_shared)).then(|| {
        format!(
            "never matches: Microsoft's issuers are https://{host}/TENANT{ending}, with the id of the tenant (a GUID), {{tenantid}}, common, organizations or consumers for TENANT"
        )
    })
}

/// Why these are no aliases of an issuer.
pub(crate) fn aliases_problem(issuer: Option<&str>, aliases: &[String]) -> Option<String> {
    if aliases.len() > MAX_ALIASES {
        return Some(format!("must be at most {MAX_ALIASES}"));
    }
    if issuer.is_none() && !aliases.is_empty() {
        return Some("are other names of the issuer, which is not filled in".to_owned());
    }
    aliases.iter().find_map(|alias| {
        let without = match Template::of(alias) {
            Some(Template { before, after, .. }) => format!("{before}{after}"),
            None => alias.clone(),
        };
        let is_name = !alias.is_empty() && alias.len() <= MAX_BYTES && is_one_word(alias);
        let wrong = (!is_name).then(|| "must be names as `iss` has them, without white space".to_owned());
        wrong.or_else(|| placeholder_problem(&without))
    })
}

fn is_one_word(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A placeholder that stays in an address is never filled in.
pub(crate) fn placeholder_problem(address: &str) -> Option<String> {
    let lower = address.to_ascii_lowercase();
    ["{", "}", "<", ">", "%7b", "%7d", "%3c", "%3e"]
        .iter()
        .any(|sign| lower.contains(sign))
        .then(|| "has a placeholder: write its value instead (for an issuer, {tenantid} may stay)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn matches(issuer: &str, found: &str, tenant: Option<&str>) -> bool {
        issuer_matches(issuer, &[], found, tenant)
    }

    #[test]
    fn a_template_stands_for_the_tenant_that_the_id_token_names() {
        let found = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        for issuer in [
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://login.microsoftonline.com/{tenantId}/v2.0",
            "https://login.microsoftonline.com/{tenant}/v2.0",
            "https://login.microsoftonline.com/common/v2.0",
            "https://login.microsoftonline.com/organizations/v2.0",
            "https://login.microsoftonline.com/common",
            "https://login.microsoftonline.com/organizations/",
        ] {
            assert!(matches(issuer, &found, Some(TENANT)), "{issuer}");
            assert!(
                matches(issuer, &found, None),
                "{issuer}: a redirect has no tenant"
            );
            assert!(
                !matches(issuer, &found, Some(PERSONAL)),
                "{issuer}: of another tenant"
            );
            for other in [
                format!("https://login.microsoftonline.com/{TENANT}/v1.0"),
                format!("https://login.microsoftonline.com.evil.example/{TENANT}/v2.0"),
                format!("https://evil.example/{TENANT}/v2.0"),
                format!("http://login.microsoftonline.com/{TENANT}/v2.0"),
                format!("https://login.microsoftonline.com/{TENANT}/x/v2.0"),
                format!("https://login.microsoftonline.com/{TENANT}/v2.0/"),
                "https://login.microsoftonline.com//v2.0".to_owned(),
                "https://login.microsoftonline.com/../v2.0".to_owned(),
                "https://login.microsoftonline.com/a%2Fb/v2.0".to_owned(),
                String::new(),
            ] {
                assert!(!matches(issuer, &other, Some(TENANT)), "{issuer}: {other}");
                assert!(!matches(issuer, &other, None), "{issuer}: {other}");
            }
        }
        assert!(matches(
            "https://as.example/t/{tenantid}",
            "https://as.example/t/acme",
            Some("acme")
        ));
        assert!(matches(
            "https://sts.windows.net/{tenantid}/",
            &format!("https://sts.windows.net/{TENANT}/"),
            Some(TENANT)
        ));
    }

    #[test]
    fn only_microsofts_documents_may_name_a_template_for_an_issuer() {
        let is = |found: &str, address: &str| is_template_of(found, address);
        let common = "https://login.microsoftonline.com/common/v2.0";
        assert!(is("https://login.microsoftonline.com/{tenantid}/v2.0", common));
        for (found, address) in [
            ("https://login.microsoftonline.com/{tenantid}/v1.0", common),
            ("https://login.microsoftonline.com/common/v2.0", common),
            ("https://evil.example/{tenantid}/v2.0", common),
            ("https://as.example/{tenantid}", "https://as.example/x"),
            (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "https://login.microsoftonline.com/a/b/v2.0",
            ),
        ] {
            assert!(!is(found, address), "{found} {address}");
        }
    }

    #[test]
    fn personal_and_work_accounts_are_told_apart() {
        let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        for (shared, work, personal) in [
            ("common", true, true),
            ("organizations", true, false),
            ("consumers", false, true),
        ] {
            assert_eq!(matches(&of(shared), &of(TENANT), Some(TENANT)), work, "{shared}");
            assert_eq!(
                matches(&of(shared), &of(PERSONAL), Some(PERSONAL)),
                personal,
                "{shared}"
            );
            assert!(
                !matches(&of(shared), &of("contoso.com"), Some("contoso.com")),
                "{shared}"
            );
        }
    }

    #[test]
    fn an_issuer_is_compared_letter_by_letter_with_it_and_its_aliases() {
        let aliases = [
            "as.example".to_owned(),
            "https://old.example/{tenantid}".to_owned(),
        ];
        let is_known = |found: &str| issuer_matches("https://as.example", &aliases, found, Some("t"));
        for known in ["https://as.example", "as.example", "https://old.example/t"] {
            assert!(is_known(known), "{known}");
        }
        for other in [
            "https://as.example/",
            "https://AS.example",
            "AS.example",
            "https://old.example/u",
            "",
            "{tenantid}",
        ] {
            assert!(!is_known(other), "{other}");
        }
        assert!(matches(
            "https://accounts.google.com",
            "accounts.google.com",
            None
        ));
        assert!(!matches("https://as.example", "as.example", None));
        assert!(!matches(
            "accounts.google.com",
            "https://accounts.google.com",
            None
        ));
    }

    #[test]
    fn what_can_never_match_is_refused() {
        let problem = |issuer: &str| issuer_problem(issuer, |url| url.scheme() == "https");
        for good in [
            "https://as.example",
            "https://as.example/realms/x",
            "https://as.example/common",
            "https://accounts.google.com",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://login.microsoftonline.com/common/v2.0",
            "https://login.microsoftonline.com/common",
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            "https://sts.windows.net/{tenantid}/",
            "https://as.example/{tenant}/x",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in [
            "as.example",
            "https://as.example/?x",
            " https://as.example",
            "https://as.example\n",
            "https://as.example/{realm}",
            "https://{tenantid}.as.example",
            "https://as.example/x{tenantid}",
            "https://as.example/{tenantid}/{tenantid}",
            "https://as.example/%7Btenantid%7D",
            "https://as.example/<tenant>/v2.0",
            "https://as.example/.well-known/openid-configuration",
            "https://accounts.google.com/",
            "https://login.microsoftonline.com",
            "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47",
            "https://login.microsoftonline.com/{tenantid}/oauth2",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
        let aliases = |list: &[&str]| {
            aliases_problem(
                Some("x"),
                &list.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            aliases(&["accounts.google.com", "https://sts.windows.net/{tenantid}/"]),
            None
        );
        for bad in ["", "a b", "https://x/{realm}", "a\nb"] {
            assert!(aliases(&[bad]).is_some(), "{bad:?}");
        }
        assert!(aliases_problem(None, &["x".to_owned()]).is_some());
        assert!(aliases(&["x"; 17]).is_some());
    }
}
