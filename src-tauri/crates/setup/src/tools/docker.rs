//! docker, podman and skopeo: a credential helper for one registry, in docker's configuration, which all three read.

use super::{Address, Authority, Field, Options, Proposal, ProposedEdit, Tool, link};
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::record::Entry;
use serde_json::json;

const DEFAULT_HOST: &str = "ghcr.io";
const PROGRAM: &str = "docker-credential-tokenry";

/// docker's own name for its hub.
const HUB: &str = "https://index.docker.io/v1/";

pub(super) struct Docker;

impl Tool for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn title(&self) -> &'static str {
        "Docker, Podman, Skopeo"
    }

    fn fields(&self) -> &'static [Field] {
        &[Field {
            name: "address",
            example: DEFAULT_HOST,
            optional: true,
        }]
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        ["docker", "podman", "skopeo"]
            .iter()
            .any(|name| environment.find(name).is_some())
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let address = options.address.as_deref().unwrap_or(DEFAULT_HOST);
        let registry = registry(address)?;
        let folder = match environment.tool_variable("DOCKER_CONFIG")? {
            Some(folder) => folder,
            None => environment.home()?.join(".docker"),
        };
        let mut proposal = Proposal::default();
        proposal.edits.push(ProposedEdit {
            path: folder.join("config.json"),
            label: "docker",
            edit: Edit::json(&["credHelpers", &registry], json!("tokenry")),
            target: registry.clone(),
        });
        link::on_path(PROGRAM, &registry, environment, &mut proposal)?;
        Ok(proposal)
    }

    fn target(&self, named: &str) -> Option<String> {
        registry(named).ok()
    }

    fn problem(&self, environment: &Environment, _entry: &Entry) -> Option<String> {
        match environment.find(PROGRAM) {
            Some(_) => None,
            None => Some(format!("{PROGRAM} is not on your path")),
        }
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        let host = if entry.target == HUB {
            "index.docker.io"
        } else {
            &entry.target
        };
        let authority = Authority::read(host).ok()?;
        Some(Address {
            url: authority.url(),
            kind: "registry",
        })
    }
}

/// The key of a registry in docker's configuration.
fn registry(address: &str) -> Result<String, SetupError> {
    if address.trim().trim_end_matches('/') == HUB.trim_end_matches('/') {
        return Ok(HUB.to_owned());
    }
    Ok(match Authority::read(address)?.host.as_str() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB.to_owned(),
        host => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_dockers_hub_is_the_one_that_docker_uses() {
        for name in [
            "docker.io",
            "https://index.docker.io",
            HUB,
            "https://index.docker.io/v1",
        ] {
            assert_eq!(registry(name), Ok(HUB.to_owned()), "{name}");
        }
        assert_eq!(registry("GHCR.io"), Ok("ghcr.io".to_owned()));
    }
}
