//! Links to `tokenry`, for clients that look for a program of a certain name.

use super::{Proposal, ProposedEdit};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use std::path::PathBuf;

/// Adds a link on the user's path, unless the program is there.
pub(super) fn on_path(
    name: &str,
    target: &str,
    environment: &Environment,
    proposal: &mut Proposal,
) -> Result<(), SetupError> {
    let folder = environment.home()?.join(".local/bin");
    if let Some(found) = environment.find(name).filter(|found| *found != folder.join(name)) {
        let same = |path: &std::path::Path| path.canonicalize().ok();
        if same(&found) == same(environment.tokenry()) {
            return Ok(());
        }
        return Err(SetupError::blocked(
            &found,
            "is on your path, and is not Tokenry",
            "Take it off your path, and try again. Nothing was changed.",
        ));
    }
    if !environment.folders().contains(&folder) {
        proposal.notes.push(format!(
            "Add {} to PATH: the program {name} is looked for there.",
            folder.display()
        ));
    }
    proposal.edits.push(at(folder.join(name), target, environment));
    Ok(())
}

/// The absolute path of a link, for clients that take one: that of an installed link, else one in our own folder.
pub(super) fn path(
    name: &str,
    target: &str,
    environment: &Environment,
    proposal: &mut Proposal,
) -> Result<String, SetupError> {
    let ours = environment.tokenry().canonicalize().ok();
    let own = environment.links()?.join(name);
    let installed = environment
        .find(name)
        .filter(|found| found.canonicalize().ok() == ours && *found != own);
    let path = match installed {
        Some(path) => path,
        None => {
            proposal.edits.push(at(own.clone(), target, environment));
            own
        }
    };
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| SetupError::file(&path, "is a path that configuration files cannot hold"))
}

/// A link at this path.
pub(super) fn at(path: PathBuf, target: &str, environment: &Environment) -> ProposedEdit {
    ProposedEdit {
        target: target.to_owned(),
        label: "link",
        path,
        edit: Edit::Link {
            target: environment.tokenry().to_owned(),
        },
    }
}
