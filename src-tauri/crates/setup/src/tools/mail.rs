//! Mail programs: the lines that make them run `tokenry token`. The files are the user's own, and nothing is written.

use super::{Field, Lines, Options, Proposal, Tool, field, needed, shell_word};
use crate::environment::Environment;
use crate::error::SetupError;

pub(super) struct Mail;

impl Tool for Mail {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn title(&self) -> &'static str {
        "Mail: msmtp, isync, NeoMutt, aerc"
    }

    fn fields(&self) -> &'static [Field] {
        const { &[field("connection", "google")] }
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        ["msmtp", "mbsync", "neomutt", "aerc"]
            .iter()
            .any(|name| environment.find(name).is_some())
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let connection = needed(&options.connection, "--connection")?;
        let path = environment.tokenry_text()?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
        let program = if path.chars().all(is_plain) {
            path.to_owned()
        } else {
            shell_word(path)
        };
        if program.contains(['"', '\\']) {
            let path = environment.tokenry();
            return Err(SetupError::program_path(
                path,
                "is a path that configuration files of mail cannot hold",
            ));
        }
        let command = format!("{program} token {connection}");
        let lines = [
            (
                "msmtp: ~/.msmtprc, in the account",
                format!("auth xoauth2\npasswordeval \"{command}\"\n"),
            ),
            (
                "isync: ~/.mbsyncrc, in the IMAPAccount",
                format!("AuthMechs XOAUTH2\nPassCmd \"{command}\"\n"),
            ),
            (
                "NeoMutt: ~/.config/neomutt/neomuttrc",
                format!(
                    "set imap_authenticators=\"xoauth2\"\nset imap_oauth_refresh_command=\"{command}\"\n\
                     set smtp_authenticators=\"xoauth2\"\nset smtp_oauth_refresh_command=\"{command}\"\n"
                ),
            ),
            (
                "aerc: ~/.config/aerc/accounts.conf, with imaps+xoauth2:// and smtps+xoauth2:// addresses",
                format!("source-cred-cmd = {command}\noutgoing-cred-cmd = {command}\n"),
            ),
        ];
        let lines = lines.into_iter().map(|(title, text)| Lines {
            title: title.to_owned(),
            text,
        });
        Ok(Proposal {
            lines: lines.collect(),
            notes: vec!["isync needs the SASL plugin for XOAUTH2.".to_owned()],
            ..Proposal::default()
        })
    }
}
