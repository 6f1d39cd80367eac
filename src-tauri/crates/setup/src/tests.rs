//! Tests of whole changes in a folder of their own.

mod again;
mod configparser;
mod links;
mod options;
mod order;
mod shared;
mod variables;

use crate::environment::Environment;
use crate::error::SetupError;
use crate::tools::Options;
use crate::{EntryState, PlanView, list, plan, plan_undo, write};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(TempDir::new().unwrap());
        fs::create_dir(home.path("bin")).unwrap();
        for name in ["tokenry", "docker", "docker-credential-tokenry"] {
            if name == "docker-credential-tokenry" {
                symlink(
                    home.path("bin/tokenry"),
                    home.path("bin/docker-credential-tokenry"),
                )
                .unwrap();
            } else {
                fs::write(home.path("bin").join(name), "#!/bin/sh\n").unwrap();
                fs::set_permissions(home.path("bin").join(name), PermissionsExt::from_mode(0o755)).unwrap();
            }
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn environment(&self) -> Environment {
        self.environment_of("bin/tokenry")
    }

    /// That where our program is at this path.
    fn environment_of(&self, tokenry: &str) -> Environment {
        self.environment_with(tokenry, &[])
    }

    /// That with further variables.
    fn environment_with(&self, tokenry: &str, further: &[(&'static str, String)]) -> Environment {
        let further = further.to_vec();
        let home = self.path("");
        let path = std::env::join_paths([self.path("bin"), self.path(".local/bin")]).unwrap();
        let variables = move |name: &str| match name {
            "HOME" => Some(home.clone().into()),
            "PATH" => Some(path.clone()),
            "SHELL" if further.iter().all(|(known, _)| *known != name) => Some("/bin/bash".into()),
            _ => further
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.into()),
        };
        Environment::new(Box::new(variables), self.path(tokenry))
    }

    fn set_up(&self, tool: &str, address: &str) -> Result<String, SetupError> {
        let options = Options {
            address: Some(address.to_owned()),
            ..Options::default()
        };
        let shown = self.set_up_with(tool, &options)?;
        Ok(shown.changes.iter().map(|change| change.diff.as_str()).collect())
    }

    fn set_up_with(&self, tool: &str, options: &Options) -> Result<PlanView, SetupError> {
        let environment = self.environment();
        let plan = plan(&environment, tool, options)?;
        let shown = plan.view();
        write(&environment, plan)?;
        Ok(shown)
    }

    fn listed(&self, tool: &str) -> Vec<EntryState> {
        let all = list(&self.environment()).unwrap();
        all.into_iter().find(|state| state.tool == tool).unwrap().entries
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn undo(&self, tool: &str, target: Option<&str>) -> Result<Vec<String>, SetupError> {
        let plan = plan_undo(&self.environment(), tool, target)?;
        let notes = plan.view().notes;
        write(&self.environment(), plan)?;
        Ok(notes)
    }

    fn docker(&self) -> PathBuf {
        self.path(".docker/config.json")
    }

    fn with_docker(text: &str) -> Self {
        let home = Self::new();
        fs::create_dir(home.path(".docker")).unwrap();
        fs::write(home.docker(), text).unwrap();
        home
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

const CONFIG: &str = "{\n\t\"auths\": {\"a\": {\"auth\": \"S3CR3T\"}},\n\t\"credsStore\": \"desktop\"\n}\n";

#[test]
fn what_was_set_up_is_taken_back_byte_for_byte() {
    let home = Home::with_docker(CONFIG);
    fs::set_permissions(home.docker(), PermissionsExt::from_mode(0o640)).unwrap();
    let diff = home.set_up("docker", "ghcr.io").unwrap();
    assert!(
        diff.contains("+\t\t\"ghcr.io\": \"tokenry\"".replace('\t', "    ").as_str()),
        "{diff}"
    );
    assert!(!diff.contains("S3CR3T"), "{diff}");
    assert!(read(&home.docker()).contains("\"credsStore\": \"desktop\""));
    let mode = home.docker().metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    let backups = home.path(".local/state/io.github.tokenry/setup/backups");
    let backup = fs::read_dir(&backups).unwrap().next().unwrap().unwrap();
    assert_eq!(read(&backup.path()), CONFIG);
    assert_eq!(backup.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(home.undo("docker", None).unwrap().is_empty());
    assert_eq!(read(&home.docker()), CONFIG);
    assert_eq!((count(&backups), count(&home.path(".docker"))), (0, 1));
}

#[test]
fn a_file_and_folders_that_were_created_are_gone_after_the_undo() {
    let home = Home::new();
    home.set_up("docker", "ghcr.io").unwrap();
    let mode = home.docker().metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    home.undo("docker", Some("https://ghcr.io/")).unwrap();
    assert!(!home.path(".docker").exists());
}

#[test]
fn setting_up_twice_changes_nothing() {
    let home = Home::with_docker(CONFIG);
    home.set_up("docker", "ghcr.io").unwrap();
    let once = read(&home.docker());
    assert_eq!(home.set_up("docker", "ghcr.io").unwrap(), "");
    assert_eq!(read(&home.docker()), once);
    home.undo("docker", None).unwrap();
    assert_eq!(read(&home.docker()), CONFIG);
}

#[test]
fn a_change_by_others_since_then_stays() {
    let home = Home::with_docker(CONFIG);
    home.set_up("docker", "ghcr.io").unwrap();
    let changed = read(&home.docker()).replace("desktop", "pass");
    fs::write(home.docker(), changed).unwrap();
    home.undo("docker", None).unwrap();
    assert_eq!(read(&home.docker()), CONFIG.replace("desktop", "pass"));
}

#[test]
fn an_entry_that_others_replaced_is_left_to_them() {
    let home = Home::with_docker(CONFIG);
    home.set_up("docker", "ghcr.io").unwrap();
    let theirs = read(&home.docker()).replace("\"tokenry\"", "\"pass\"");
    fs::write(home.docker(), &theirs).unwrap();
    let notes = home.undo("docker", None).unwrap();
    assert!(
        notes[0].contains("no longer the one that Tokenry wrote"),
        "{notes:?}"
    );
    assert_eq!(read(&home.docker()), theirs);
    assert!(matches!(
        home.undo("docker", None),
        Err(SetupError::NotSetUp { .. })
    ));
}

#[test]
fn the_helper_that_was_there_before_comes_back() {
    let before = "{\"credHelpers\": {\"ghcr.io\": \"pass\", \"b\": \"gcloud\"}}";
    let home = Home::with_docker(before);
    home.set_up("docker", "ghcr.io").unwrap();
    fs::write(home.docker(), read(&home.docker()).replace("gcloud", "ecr")).unwrap();
    home.undo("docker", None).unwrap();
    assert_eq!(read(&home.docker()), before.replace("gcloud", "ecr"));
}

#[test]
fn two_registries_in_one_file_are_taken_back_in_any_order() {
    for order in [["ghcr.io", "quay.io"], ["quay.io", "ghcr.io"]] {
        let home = Home::with_docker(CONFIG);
        home.set_up("docker", "ghcr.io").unwrap();
        home.set_up("docker", "quay.io").unwrap();
        home.undo("docker", Some(order[0])).unwrap();
        assert!(read(&home.docker()).contains(order[1]) && !read(&home.docker()).contains(order[0]));
        home.undo("docker", Some(order[1])).unwrap();
        assert_eq!(read(&home.docker()), CONFIG);
    }
    let home = Home::new();
    home.set_up("docker", "ghcr.io").unwrap();
    home.set_up("docker", "quay.io").unwrap();
    home.undo("docker", Some("ghcr.io")).unwrap();
    home.undo("docker", Some("quay.io")).unwrap();
    assert!(!home.path(".docker").exists());
}

#[test]
fn a_link_into_another_folder_stays_a_link() {
    let home = Home::new();
    fs::create_dir_all(home.path("dotfiles")).unwrap();
    fs::create_dir_all(home.path(".docker")).unwrap();
    fs::write(home.path("dotfiles/docker.json"), CONFIG).unwrap();
    symlink("../dotfiles/docker.json", home.docker()).unwrap();
    home.set_up("docker", "ghcr.io").unwrap();
    assert!(home.docker().is_symlink());
    assert!(read(&home.path("dotfiles/docker.json")).contains("ghcr.io"));
    home.undo("docker", None).unwrap();
    assert!(home.docker().is_symlink());
    assert_eq!(read(&home.path("dotfiles/docker.json")), CONFIG);
}

#[test]
fn an_odd_file_is_an_error_and_stays_as_it_is() {
    for (text, says) in [
        ("{", "line 1"),
        ("[]", "no object at its top"),
        ("{\"credHelpers\": []}", "no object at `credHelpers`"),
        ("{\"credHelpers\": {}, \"credHelpers\": {}}", "twice"),
        ("{\"a\": \"\0\"}", "NUL"),
    ] {
        let home = Home::with_docker(text);
        let error = home.set_up("docker", "ghcr.io").unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("config.json"), "{error}");
        assert_eq!(read(&home.docker()), text);
    }
    let home = Home::with_docker("");
    fs::write(home.docker(), b"{\"a\": \"\xff\"}").unwrap();
    assert!(
        home.set_up("docker", "ghcr.io")
            .unwrap_err()
            .to_string()
            .contains("UTF-8")
    );
    fs::remove_file(home.docker()).unwrap();
    fs::create_dir(home.docker()).unwrap();
    assert!(
        home.set_up("docker", "ghcr.io")
            .unwrap_err()
            .to_string()
            .contains("folder")
    );
    fs::remove_dir(home.docker()).unwrap();
    symlink("config.json", home.docker()).unwrap();
    assert!(
        home.set_up("docker", "ghcr.io")
            .unwrap_err()
            .to_string()
            .contains("link")
    );
    fs::remove_file(home.docker()).unwrap();
    fs::write(home.docker(), "{}").unwrap();
    fs::set_permissions(home.docker(), PermissionsExt::from_mode(0o444)).unwrap();
    assert!(
        home.set_up("docker", "ghcr.io")
            .unwrap_err()
            .to_string()
            .contains("read-only")
    );
    assert_eq!(count(&home.path(".docker")), 1);
}

#[test]
fn a_file_that_changed_after_it_was_shown_is_not_written() {
    let home = Home::with_docker(CONFIG);
    let environment = home.environment();
    let shown = plan(&environment, "docker", &Options::default()).unwrap();
    fs::write(home.docker(), "{}").unwrap();
    assert!(matches!(
        write(&environment, shown),
        Err(SetupError::Changed { .. })
    ));
    assert_eq!(read(&home.docker()), "{}");
    assert!(matches!(
        home.undo("docker", None),
        Err(SetupError::NotSetUp { .. })
    ));
}

#[test]
fn the_list_says_what_is_set_up_and_what_is_wrong_with_it() {
    let home = Home::with_docker(CONFIG);
    let docker = || {
        let all = list(&home.environment()).unwrap();
        all.into_iter().find(|state| state.tool == "docker").unwrap()
    };
    assert!(docker().installed && docker().entries.is_empty());
    home.set_up("docker", "ghcr.io").unwrap();
    let entry = docker().entries.remove(0);
    assert_eq!(
        (entry.problem, entry.address.unwrap().url),
        (None, "https://ghcr.io".to_owned())
    );
    fs::write(home.docker(), CONFIG).unwrap();
    let problem = docker().entries.remove(0).problem.unwrap();
    assert!(problem.contains("no longer has the entry"), "{problem}");
    home.set_up("docker", "ghcr.io").unwrap();
    assert_eq!(docker().entries.remove(0).problem, None);
    fs::remove_file(home.path("bin/tokenry")).unwrap();
    let problem = docker().entries.remove(0).problem.unwrap();
    assert!(problem.contains("cannot be started"), "{problem}");
}

#[test]
fn a_new_place_of_tokenry_replaces_the_old_one_and_one_undo_takes_both_back() {
    let home = Home::new();
    let path = home.path(".cursor/mcp.json");
    let before = "{\n  \"mcpServers\": {\n    \"x\": {\"url\": \"y\"}\n  }\n}\n";
    fs::create_dir(home.path(".cursor")).unwrap();
    fs::write(&path, before).unwrap();
    home.set_up("mcp", "https://mcp.example.com/mcp").unwrap();
    let first = read(&path);
    assert!(
        first.contains("mcp-example-com") && first.contains("/bin/tokenry"),
        "{first}"
    );
    fs::create_dir(home.path("new")).unwrap();
    fs::copy(home.path("bin/tokenry"), home.path("new/tokenry")).unwrap();
    let moved = home.environment_of("new/tokenry");
    let options = Options {
        address: Some("https://mcp.example.com/mcp".to_owned()),
        ..Options::default()
    };
    let again = plan(&moved, "mcp", &options).unwrap();
    write(&moved, again).unwrap();
    assert!(read(&path).contains("/new/tokenry"), "{}", read(&path));
    home.undo("mcp", None).unwrap();
    assert_eq!(read(&path), before);
}
