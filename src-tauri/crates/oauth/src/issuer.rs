//! The issuer in an authorization response (RFC 9207): what tells an answer of one server from that of another.

use tokenry_core::{Code, clean, issuer_matches};

/// Why an answer is not the expected server's. Nothing else in such an answer is to be believed or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongIssuer {
    /// It names another issuer.
    #[error("The answer is from the issuer {found}, not from {expected}. It was not used.")]
    Other {
        /// The issuer of the provider.
        expected: String,
        /// The issuer that the answer names, cleaned.
        found: String,
    },
    /// The server promises to name itself, and the answer does not.
    #[error(
        "The answer does not say which issuer it is from, though the provider promises to. It was not used."
    )]
    Missing,
    /// The server promises to name itself, and the provider does not say what name to expect.
    #[error(
        "The provider promises to name its issuer, but the issuer is not filled in. Add it to the provider."
    )]
    NothingToCompare,
}

impl WrongIssuer {
    /// The code of the contract.
    pub fn code(&self) -> Code {
        match self {
            Self::Other { .. } | Self::Missing => Code::ProviderError,
            Self::NothingToCompare => Code::ValidationError,
        }
    }
}

/// Judges `iss` of an answer, of an error answer too, before its code goes anywhere (RFC 9207 §2.4). The comparison
/// is of the decoded text, letter by letter: no case, port, slash or percent sign is forgiven. Aliases and templates
/// are what the provider's record says.
///
/// # Errors
/// [`WrongIssuer`]; the flow stays open then.
pub fn check(
    issuer: Option<&str>,
    aliases: &[String],
    advertised: bool,
    iss: Option<&str>,
) -> Result<(), WrongIssuer> {
    match (issuer, iss) {
        (Some(expected), Some(found)) if !issuer_matches(expected, aliases, found, None) => {
            Err(WrongIssuer::Other {
                expected: clean(expected),
                found: clean(found),
            })
        }
        (Some(_), Some(_)) => Ok(()),
        (_, None) if advertised => Err(WrongIssuer::Missing),
        (None, Some(_)) if advertised => Err(WrongIssuer::NothingToCompare),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(issuer: Option<&str>, advertised: bool, iss: Option<&str>) -> Result<(), WrongIssuer> {
        super::check(issuer, &[], advertised, iss)
    }

    /// Checklist A3.2, A3.3: the table of RFC 9207 §2.4.
    #[test]
    fn the_issuer_is_compared_letter_by_letter_and_missing_only_where_it_was_not_promised() {
        let a = Some("https://a.example");
        assert_eq!(check(a, true, a), Ok(()));
        assert_eq!(check(a, false, a), Ok(()));
        assert_eq!(check(a, false, None), Ok(()));
        assert_eq!(check(None, false, None), Ok(()));
        assert_eq!(check(None, false, a), Ok(()));
        assert_eq!(check(a, true, None), Err(WrongIssuer::Missing));
        assert_eq!(check(None, true, None), Err(WrongIssuer::Missing));
        assert_eq!(check(None, true, a), Err(WrongIssuer::NothingToCompare));
        for near in [
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "https://%61.example",
            "",
        ] {
            for advertised in [true, false] {
                assert!(
                    matches!(check(a, advertised, Some(near)), Err(WrongIssuer::Other { .. })),
                    "{near}"
                );
            }
        }
    }
}
