//! terraform and OpenTofu: one credentials helper for all hosts, and a link in the folder of plugins.

use super::{Address, Authority, Field, Options, Proposal, ProposedEdit, Tool, link};
use crate::block::Block;
use crate::edit::Edit;
use crate::environment::Environment;
use crate::error::SetupError;
use crate::file;
use crate::record::Entry;

const DEFAULT_HOST: &str = "app.terraform.io";
const LINE: &str = "credentials_helper \"tokenry\" {}";

pub(super) struct Terraform;

impl Tool for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn title(&self) -> &'static str {
        "Terraform, OpenTofu"
    }

    fn fields(&self) -> &'static [Field] {
        &[Field {
            name: "address",
            example: DEFAULT_HOST,
            optional: true,
        }]
    }

    fn is_installed(&self, environment: &Environment) -> bool {
        ["terraform", "tofu"]
            .iter()
            .any(|name| environment.find(name).is_some())
    }

    fn propose(&self, environment: &Environment, options: &Options) -> Result<Proposal, SetupError> {
        let url = Authority::read(options.address.as_deref().unwrap_or(DEFAULT_HOST))?.url();
        let home = environment.home()?;
        let path = match environment.tool_variable("TF_CLI_CONFIG_FILE")? {
            Some(path) => path,
            None => home.join(".terraformrc"),
        };
        let text = file::read(&path)?.unwrap_or_default();
        let is_other =
            |line: &str| line.trim_start().starts_with("credentials_helper") && line.trim() != LINE;
        if text.lines().any(is_other) {
            return Err(SetupError::file(
                &path,
                "names another credentials_helper, and terraform takes one",
            ));
        }
        let plugin = home.join(".terraform.d/plugins/terraform-credentials-tokenry");
        let block = Block {
            heading: None,
            // The user may have indented it.
            lines: vec![
                text.lines()
                    .find(|line| line.trim() == LINE)
                    .unwrap_or(LINE)
                    .to_owned(),
            ],
            is_merged: false,
            had_heading: false,
        };
        let edit = ProposedEdit {
            target: url.clone(),
            label: "terraform",
            path,
            edit: Edit::Lines(block),
        };
        Ok(Proposal {
            edits: vec![edit, link::at(plugin, &url, environment)],
            ..Proposal::default()
        })
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        Some(Address {
            url: entry.target.clone(),
            kind: "api",
        })
    }
}
