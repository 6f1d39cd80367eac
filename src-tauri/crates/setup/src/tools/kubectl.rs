//! kubectl: a user in the kubeconfig whose token comes from a program.

use super::{Field, Options, Proposal, ProposedEdit, Tool, field, needed};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::kube_user::KubeUser;
use std::path::PathBuf;

pub(super) struct Kubectl;

impl Tool for Kubectl {
    fn name(&self) -> &'static str {
        "kubectl"
    }

    fn title(&self) -> &'static str {
        "kubectl"
    }

    fn fields(&self) -> &'static [Field] {
        const {
            &[
                field("connection", "corp"),
                Field {
                    name: "name",
                    example: "tokenry",
                    optional: true,
                },
            ]
        }
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        environment.find("kubectl").is_some()
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let connection = needed(&options.connection, "--connection")?;
        let name = options.name.clone().or_else(|| Some("tokenry".to_owned()));
        let name = needed(&name, "--name")?;
        let path = kubeconfig(environment)?;
        let text = file::read(&path)?.unwrap_or_default();
        let user = KubeUser::new(name, environment.tokenry_text()?, connection);
        if user.is_taken(&text) {
            let why = format!("has another user called {name}");
            return Err(SetupError::blocked(
                &path,
                why,
                "Choose another name with --name.",
            ));
        }
        if user.add(&text).is_err() {
            return Err(SetupError::blocked(
                &path,
                "is not written as kubectl writes it",
                "Use `kubectl config set-credentials` with --exec-command instead.",
            ));
        }
        Ok(Proposal {
            edits: vec![ProposedEdit {
                target: name.to_owned(),
                label: "kubectl",
                path,
                edit: Edit::KubeUser(user),
            }],
            notes: vec![
                format!(
                    "Use it with `kubectl --user={name}`, or in a context: `kubectl config set-context --current --user={name}`."
                ),
                "Where the cluster takes ID tokens, add `- --id-token` to the args.".to_owned(),
            ],
            ..Proposal::default()
        })
    }
}

/// The first file of `KUBECONFIG`, else the usual one.
fn kubeconfig(environment: &Environment) -> Result<PathBuf, SetupError> {
    let listed = environment.variable("KUBECONFIG").unwrap_or_default();
    let first = std::env::split_paths(&listed).find(|path| path.is_absolute());
    match first {
        Some(path) => Ok(path),
        None => Ok(environment.home()?.join(".kube/config")),
    }
}
