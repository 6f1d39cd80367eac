//! The commands that other programs run to get a token, and the names of links to them.

/// A command of `tokenry` that another program runs for itself. In a permission request the requester is that program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelperProgram {
    /// The command, as in `tokenry git-credential`.
    pub command: &'static str,
    /// The name of a link to `tokenry` that stands for it, where its client demands a name.
    pub link: Option<&'static str>,
}

const fn helper(command: &'static str, link: Option<&'static str>) -> HelperProgram {
    HelperProgram { command, link }
}

/// All of them.
pub const HELPERS: &[HelperProgram] = &[
    helper("aws-credential", None),
    helper("cargo-credential", Some("cargo-credential-tokenry")),
    helper("credential-helper", Some("credential-helper-tokenry")),
    helper("docker-credential", Some("docker-credential-tokenry")),
    helper("git-credential", Some("git-credential-tokenry")),
    helper("google-credential", None),
    helper("keyring", Some("keyring")),
    helper("kubectl-credential", None),
    helper("mcp", None),
    helper("mcp-server", None),
    helper("proxy", None),
    helper("terraform-credentials", Some("terraform-credentials-tokenry")),
];

/// The helper that a command line of one of our programs runs: by the name of the program, which may be a link, or by the
/// first argument that is no option.
pub fn helper_of<'a>(mut arguments: impl Iterator<Item = &'a str>) -> Option<&'static HelperProgram> {
    let name = arguments.next()?.rsplit('/').next();
    if let Some(helper) = HELPERS
        .iter()
        .find(|helper| helper.link.is_some() && helper.link == name)
    {
        return Some(helper);
    }
    let command = arguments.find(|argument| !argument.starts_with('-'))?;
    HELPERS.iter().find(|helper| helper.command == command)
}

/// The variable with which helpers wait for the user, for clients that call them without options: a number of seconds.
pub const WAIT_VARIABLE: &str = "TOKENRY_WAIT";
/// The longest wait for the user.
pub const MAX_WAIT_SECONDS: u32 = 300;

/// The seconds that the variable says; none where it is not set or empty.
///
/// # Errors
/// When it is no number up to [`MAX_WAIT_SECONDS`].
pub fn wait_of_the_environment() -> Result<Option<u32>, String> {
    let value = std::env::var_os(WAIT_VARIABLE).unwrap_or_default();
    wait_seconds(&value.to_string_lossy())
}

fn wait_seconds(value: &str) -> Result<Option<u32>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    let seconds = value.parse().ok().filter(|seconds| *seconds <= MAX_WAIT_SECONDS);
    let wrong =
        || format!("The variable {WAIT_VARIABLE} must be a number of seconds, at most {MAX_WAIT_SECONDS}.");
    seconds.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_a_number_of_seconds_or_an_error() {
        assert_eq!(wait_seconds(""), Ok(None));
        assert_eq!(wait_seconds("60"), Ok(Some(60)));
        assert_eq!(wait_seconds("300"), Ok(Some(300)));
        for wrong in ["abc", "-1", "301", "60s", " 60", "1e9"] {
            assert!(
                wait_seconds(wrong).unwrap_err().contains("TOKENRY_WAIT"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_helper_is_known_by_the_name_of_a_link_or_by_its_command() {
        let of = |line: &str| helper_of(line.split(' ')).map(|helper| helper.command);
        assert_eq!(of("/usr/bin/git-credential-tokenry get"), Some("git-credential"));
        assert_eq!(of("tokenry --json git-credential get"), Some("git-credential"));
        assert_eq!(of("tokenry-bridge mcp https://example.com"), Some("mcp"));
        for other in [
            "tokenry token git-credential",
            "tokenry",
            "",
            "/git-credential-tokenry/tokenry list",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
