//! Google Cloud: a file that describes an external account whose token comes from a program.

use super::{Field, Options, Proposal, ProposedEdit, Tool, field, needed};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use serde_json::json;

pub(super) struct Google;

impl Tool for Google {
    fn name(&self) -> &'static str {
        "google"
    }

    fn title(&self) -> &'static str {
        "Google Cloud"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                field("connection", "corp"),
                field(
                    "audience",
                    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
                ),
            ]
        }
    }

    /// Its libraries are part of other programs, so the folder of its tools says that one of them is used.
    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("gcloud").is_some()
            || environment
                .config()
                .is_ok_and(|config| config.join("gcloud").exists())
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let connection = needed(&options.connection, "--connection")?;
        let audience = needed(&options.audience, "--audience")?;
        let program = environment.tokenry_text()?;
        // Some of Google's libraries split the command at blanks, whatever is quoted.
        if program.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\')) {
            return Err(SetupError::program_path(
                environment.tokenry(),
                "is a path that Google's libraries cannot run",
            ));
        }
        let account = json!({
            "type": "external_account",
            "audience": audience,
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"executable": {
                "command": format!("{program} google-credential --connection {connection}"),
                "timeout_millis": 30000,
            }},
        });
        let name = connection.replace('/', "-");
        let path = environment
            .config()?
            .join("tokenry")
            .join(format!("google-{name}.json"));
        let text = format!("{account:#}\n");
        let note = format!(
            "Set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 and GOOGLE_APPLICATION_CREDENTIALS={} for the programs \
             that use it.",
            path.display()
        );
        Ok(Proposal {
            edits: vec![ProposedEdit {
                target: connection.to_owned(),
                label: "google",
                path,
                edit: Edit::Whole { text },
            }],
            notes: vec![note],
            ..Proposal::default()
        })
    }
}
