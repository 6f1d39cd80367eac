//! Links to `tokenry`, for clients that look for a program of a certain name.

use super::{Proposal, ProposedEdit};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;

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
        return Err(SetupError::file(&found, "is on your path, and is not Tokenry"));
    }
    if !environment.folders().contains(&folder) {
        proposal.notes.push(format!(
            "Add {} to PATH: the program {name} is looked for there.",
            folder.display()
        ));
    }
    proposal.edits.push(ProposedEdit {
        target: target.to_owned(),
        label: "link",
        path: folder.join(name),
        edit: Edit::Link {
            target: environment.tokenry().to_owned(),
        },
    });
    Ok(())
}
