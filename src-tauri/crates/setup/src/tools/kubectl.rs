//! kubectl: a user in the kubeconfig whose token comes from a program.

use super::{Field, Options, Proposal, ProposedEdit, Tool, field, needed};
use crate::edit::Edit;
use crate::environment::{Environment, absolute};
use crate::error::SetupError;
use crate::file;
use crate::kube_user::KubeUser;
use std::path::{Path, PathBuf};

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
        let (path, others) = kubeconfigs(environment)?;
        let text = file::read(&path)?.unwrap_or_default();
        let user = KubeUser::new(name, environment.tokenry_text()?, connection);
        check_free(&user, &path, &text)?;
        // kubectl reads all of them as one.
        for other in &others {
            check_free(&user, other, &file::read(other)?.unwrap_or_default())?;
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

/// Fails where a file has another user of this name.
fn check_free(user: &KubeUser, path: &Path, text: &str) -> Result<(), SetupError> {
    if !user.is_taken(text) {
        return Ok(());
    }
    Err(SetupError::blocked(
        path,
        format!("has another user called {}", user.name),
        "Choose another name with --name.",
    ))
}

/// The first file of `KUBECONFIG` and the others, else the usual one.
fn kubeconfigs(environment: &Environment) -> Result<(PathBuf, Vec<PathBuf>), SetupError> {
    let listed = environment.variable("KUBECONFIG").unwrap_or_default();
    let paths = std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty());
    let paths = paths.map(|path| absolute(path, "KUBECONFIG"));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?.into_iter();
    match paths.next() {
        Some(first) => Ok((first, paths.collect())),
        None => Ok((environment.home()?.join(".kube/config"), Vec::new())),
    }
}
