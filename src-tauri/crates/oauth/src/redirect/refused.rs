//! Why a redirect URL is refused.

use crate::form::FormError;
use tokenry_core::Code;

/// Why an address is no answer for us. None of these shows anything of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than 16 KiB.
    #[error("The address is longer than 16 KiB. Nothing was changed.")]
    TooLong,
    /// More than 32 parameters.
    #[error("The address has more than 32 parameters. Nothing was changed.")]
    TooManyParameters,
    /// A control character, as it is or percent-encoded.
    #[error("The address holds control characters. Nothing was changed.")]
    ControlCharacter,
    /// A space or a character outside ASCII, which an address cannot hold unencoded (RFC 3986 §2).
    #[error("The address holds a character that an address cannot hold. Copy the whole address again.")]
    IllegalCharacter,
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("The address is wrongly encoded. Copy the whole address again.")]
    BadEncoding,
    /// A parameter that comes twice (RFC 6749 §3.1).
    #[error("The address has a parameter twice. Nothing was changed.")]
    RepeatedParameter,
    /// Not a place where answers are taken.
    #[error(
        "The address is not one that Tokenry takes answers at. Copy the whole address the browser ended at."
    )]
    WrongPath,
    /// Without `state` it belongs to no flow.
    #[error("The address has no state, so it belongs to no sign-in. Start again from Tokenry.")]
    NoState,
    /// It says yes and no at once.
    #[error("The address holds a code and an error at once. Nothing was changed.")]
    CodeAndError,
    /// It says nothing.
    #[error("The address holds neither a code nor an error. Copy the whole address the browser ended at.")]
    NeitherCodeNorError,
}

impl Refused {
    /// The code of the contract.
    pub fn code(self) -> Code {
        match self {
            Self::TooLong => Code::PayloadTooLarge,
            Self::TooManyParameters
            | Self::ControlCharacter
            | Self::IllegalCharacter
            | Self::BadEncoding
            | Self::RepeatedParameter
            | Self::WrongPath
            | Self::NoState
            | Self::CodeAndError
            | Self::NeitherCodeNorError => Code::ValidationError,
        }
    }
}

impl From<FormError> for Refused {
    fn from(wrong: FormError) -> Self {
        match wrong {
            FormError::TooMany => Self::TooManyParameters,
            FormError::ControlCharacter => Self::ControlCharacter,
            FormError::BadEncoding => Self::BadEncoding,
        }
    }
}
