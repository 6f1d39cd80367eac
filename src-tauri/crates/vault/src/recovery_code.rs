//! The recovery code: 140 random bits as seven groups of characters that a user can write down and type.

use crate::key::Key;
use hkdf::Hkdf;
use sha2::Sha256;
use tokenry_core::{Random, Secret};
use zeroize::Zeroizing;

/// Crockford's base 32: no I, L, O or U, which are easily mistaken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Groups of a code.
const GROUPS: usize = 7;
/// Random characters of a group, with 5 bits each. One check character follows them.
const RANDOM_CHARACTERS: usize = 4;
const GROUP_CHARACTERS: usize = RANDOM_CHARACTERS + 1;
const CODE_CHARACTERS: usize = GROUPS * GROUP_CHARACTERS;
/// What a typed code may hold at most, in bytes, with its separators.
const MAX_TYPED_BYTES: usize = 1024;

/// A recovery code. It opens the vault on its own, so it is as secret as a key.
pub struct RecoveryCode(Zeroizing<[u8; GROUPS * RANDOM_CHARACTERS]>);

/// Why a typed text is not a recovery code. It holds nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeError {
    /// Other characters than letters, digits, spaces and hyphens.
    #[error(
        "has a character that no recovery code has; it consists of letters and digits in seven groups of five"
    )]
    Character,
    /// Too short or too long.
    #[error("has {0} characters, and a recovery code has {CODE_CHARACTERS}, in seven groups of five")]
    Length(usize),
    /// The check character of a group does not match. Holds the number of the group, from 1.
    #[error("has a typing error in group {0}; compare that group with what you wrote down")]
    Group(usize),
}

impl RecoveryCode {
    /// A new code.
    pub fn new(random: &dyn Random) -> Self {
        let mut code = Self::zero();
        random.fill(&mut code.0[..]);
        code.0.iter_mut().for_each(|digit| *digit &= 31);
        code
    }

    /// Reads a code as a user types it: in upper or lower case, with or without separators; I and L count as 1 and
    /// O as 0.
    ///
    /// # Errors
    /// [`RecoveryCodeError`]; a typing error is found in the group that has it.
    pub fn parse(typed: &Secret) -> Result<Self, RecoveryCodeError> {
        let typed = typed.expose();
        if typed.len() > MAX_TYPED_BYTES {
            return Err(RecoveryCodeError::Length(typed.chars().count()));
        }
        let mut all = Zeroizing::new(Vec::with_capacity(MAX_TYPED_BYTES));
        for character in typed.chars().filter(|character| !is_separator(*character)) {
            all.push(digit(character).ok_or(RecoveryCodeError::Character)?);
        }
        if all.len() != CODE_CHARACTERS {
            return Err(RecoveryCodeError::Length(all.len()));
        }
        let mut code = Self::zero();
        let groups = all
            .chunks(GROUP_CHARACTERS)
            .zip(code.0.chunks_mut(RANDOM_CHARACTERS));
        for (number, (typed, kept)) in groups.enumerate() {
            kept.copy_from_slice(&typed[..RANDOM_CHARACTERS]);
            if typed[RANDOM_CHARACTERS] != check_digit(number, kept) {
                return Err(RecoveryCodeError::Group(number + 1));
            }
        }
        Ok(code)
    }

    /// The code as it is shown: seven groups of five characters, with a hyphen between them.
    pub fn text(&self) -> Secret {
        let mut text = String::with_capacity(CODE_CHARACTERS + GROUPS);
        for (number, group) in self.0.chunks(RANDOM_CHARACTERS).enumerate() {
            if number > 0 {
                text.push('-');
            }
            let check = check_digit(number, group);
            let characters = group.iter().chain([&check]);
            text.extend(characters.map(|digit| char::from(ALPHABET[usize::from(digit & 31)])));
        }
        Secret::new(text)
    }

    fn zero() -> Self {
        Self(Zeroizing::new([0; GROUPS * RANDOM_CHARACTERS]))
    }

    /// The key for one slot. The code is random, so it needs no slow derivation.
    pub(crate) fn key(&self, salt: &[u8; 32]) -> Key {
        let root = Hkdf::<Sha256>::new(Some(salt), &self.0[..]);
        Key::derived(&root, b"tokenry recovery code 1")
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

fn is_separator(character: char) -> bool {
    // People and their programs put other dashes in the place of a hyphen.
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '.' | '_')
}

fn digit(character: char) -> Option<u8> {
    let character = match character.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    let position = ALPHABET.iter().position(|known| char::from(*known) == character);
    position.and_then(|position| position.try_into().ok())
}

/// A weighted sum over GF(32). The weights differ for each character and each group starts at another value, so it
/// finds one wrong character, two that are swapped, and two groups that are swapped.
fn check_digit(group: usize, digits: &[u8]) -> u8 {
    let mut weight = 1;
    let mut start = 1;
    for _ in 0..group {
        start = times_two(start);
    }
    digits.iter().fold(start, |sum, digit| {
        weight = times_two(weight);
        sum ^ times(weight, *digit)
    })
}

/// Multiplication by the generator of GF(32), with the polynomial x⁵ + x² + 1.
fn times_two(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 32 == 0 {
        doubled
    } else {
        doubled ^ 0b10_0101
    }
}

fn times(mut one: u8, other: u8) -> u8 {
    (0..5).fold(0, |product, bit| {
        let added = if other >> bit & 1 == 1 { one } else { 0 };
        one = times_two(one);
        product ^ added
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::OsRandom;

    fn parsed(text: &str) -> Result<RecoveryCode, RecoveryCodeError> {
        RecoveryCode::parse(&Secret::new(text.to_owned()))
    }

    fn code() -> (RecoveryCode, String) {
        let code = RecoveryCode::new(&OsRandom);
        let text = code.text().expose().to_owned();
        (code, text)
    }

    #[test]
    fn a_code_has_seven_groups_of_five_and_reads_back() {
        for _ in 0..200 {
            let (code, text) = code();
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [5; 7]);
            assert_eq!(parsed(&text).unwrap().0, code.0);
        }
    }

    #[test]
    fn case_separators_and_lookalikes_do_not_matter() {
        let (code, text) = code();
        for typed in [
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('-', " \u{2013} "),
            format!("\r\n {} \n", text.replace('-', "\n")),
            text.replace('0', "O").replace('1', "l"),
            text.replace('0', "o").replace('1', "I"),
        ] {
            assert_eq!(parsed(&typed).unwrap().0, code.0, "{typed:?}");
        }
    }

    #[test]
    fn every_wrong_character_is_found_in_its_group() {
        let (_, text) = code();
        for at in 0..text.len() {
            for other in ALPHABET {
                let mut typed = text.clone().into_bytes();
                if typed[at] == b'-' || typed[at] == *other {
                    continue;
                }
                typed[at] = *other;
                let wrong = parsed(std::str::from_utf8(&typed).unwrap()).unwrap_err();
                assert_eq!(wrong, RecoveryCodeError::Group(at / 6 + 1));
            }
        }
    }

    #[test]
    fn two_swapped_characters_of_a_group_are_found() {
        for _ in 0..50 {
            let (_, text) = code();
            for at in 0..text.len() {
                for other in at / 6 * 6..at {
                    let mut typed = text.clone().into_bytes();
                    if typed[at] == typed[other] || typed[at] == b'-' {
                        continue;
                    }
                    typed.swap(at, other);
                    let wrong = parsed(std::str::from_utf8(&typed).unwrap()).unwrap_err();
                    assert_eq!(wrong, RecoveryCodeError::Group(at / 6 + 1));
                }
            }
        }
    }

    #[test]
    fn two_swapped_groups_are_found() {
        for _ in 0..50 {
            let (_, text) = code();
            for (one, other) in (0..7).flat_map(|one| (0..one).map(move |other| (one, other))) {
                let mut groups: Vec<_> = text.split('-').collect();
                if groups[one] == groups[other] {
                    continue;
                }
                groups.swap(one, other);
                assert!(matches!(
                    parsed(&groups.join("-")),
                    Err(RecoveryCodeError::Group(_))
                ));
            }
        }
    }

    #[test]
    fn what_is_no_code_is_refused_by_what_is_wrong_with_it() {
        let (_, text) = code();
        for length in 0..text.len() {
            let typed = &text[..length];
            let characters = typed.replace('-', "").len();
            assert_eq!(parsed(typed).unwrap_err(), RecoveryCodeError::Length(characters));
        }
        assert_eq!(
            parsed(&format!("{text}0")).unwrap_err(),
            RecoveryCodeError::Length(36)
        );
        assert_eq!(
            parsed(&"-".repeat(2000)).unwrap_err(),
            RecoveryCodeError::Length(2000)
        );
        for wrong in ["U", "u", "ä", "\u{0}", "!", "\u{202e}", "０", "ı", "ſ"] {
            let typed = format!("{wrong}{}", &text[1..]);
            assert_eq!(
                parsed(&typed).unwrap_err(),
                RecoveryCodeError::Character,
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_code() {
        let (code, text) = code();
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
        let mut typed = text.clone();
        typed.replace_range(0..1, if text.starts_with('0') { "1" } else { "0" });
        let error = parsed(&typed).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(text.split('-').all(|group| !shown.contains(group)), "{shown}");
    }

    #[test]
    fn a_code_wipes_itself() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        wiped(&RecoveryCode::new(&OsRandom).0);
    }

    /// A code that an older version has shown is typed into a newer one.
    #[test]
    fn the_text_of_a_code_is_the_known_one() {
        struct Counting;
        impl Random for Counting {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value);
            }
        }
        let code = RecoveryCode::new(&Counting);
        assert_eq!(code.text().expose(), "01230-4567M-89ABE-CDEFN-GHJK7-MNPQ5-RSTVP");
    }
}
