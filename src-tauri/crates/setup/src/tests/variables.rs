//! Variables that name a tool's file, and the user's shell.

use super::*;

/// Options that each tool takes.
fn options(tool: &str) -> Options {
    let some = |text: &str| Some(text.to_owned());
    let none = Options::default;
    match tool {
        "aws" => Options {
            connection: some("corp"),
            role: some("arn:aws:iam::123456789012:role/ci"),
            ..none()
        },
        "kubectl" => Options {
            connection: some("corp"),
            ..none()
        },
        "mcp" => Options {
            address: some("https://mcp.example/mcp"),
            ..none()
        },
        "cargo" => Options {
            address: some("sparse+https://git.example/"),
            ..none()
        },
        "oidc-agent" => none(),
        _ => Options {
            address: some("git.example"),
            ..none()
        },
    }
}

fn planned(home: &Home, tool: &str, variable: &'static str, value: &str) -> Result<PlanView, SetupError> {
    let environment = home.environment_with("bin/tokenry", &[(variable, value.to_owned())]);
    plan(&environment, tool, &options(tool)).map(|plan| plan.view())
}

#[test]
fn a_variable_with_a_relative_path_is_an_error_that_names_it() {
    for (tool, variable) in [
        ("aws", "AWS_CONFIG_FILE"),
        ("aws", "AWS_SHARED_CREDENTIALS_FILE"),
        ("cargo", "CARGO_HOME"),
        ("docker", "DOCKER_CONFIG"),
        ("git", "GIT_CONFIG_GLOBAL"),
        ("kubectl", "KUBECONFIG"),
        ("mcp", "CLAUDE_CONFIG_DIR"),
        ("mcp", "CODEX_HOME"),
        ("pip", "PIP_CONFIG_FILE"),
        ("terraform", "TF_CLI_CONFIG_FILE"),
        ("uv", "UV_CONFIG_FILE"),
    ] {
        for value in ["x/config", "~x/config"] {
            let error = planned(&Home::new(), tool, variable, value).unwrap_err();
            assert!(
                error.to_string().contains(variable) && error.next_step().contains(variable),
                "{error}"
            );
        }
    }
}

#[test]
fn the_file_for_aws_can_be_below_the_home_folder() {
    let home = Home::new();
    let view = planned(&home, "aws", "AWS_CONFIG_FILE", "~/cloud/aws").unwrap();
    assert_eq!(view.changes[0].path, home.path("cloud/aws").display().to_string());
}

#[test]
fn a_profile_with_keys_in_the_other_file_of_aws_is_not_changed() {
    let home = Home::new();
    home.write(".aws/credentials", "[tokenry]\naws_access_key_id = x\n");
    let error = home.set_up_with("aws", &options("aws")).unwrap_err();
    assert!(
        error.to_string().contains("keys of the profile tokenry"),
        "{error}"
    );
    assert!(!home.path(".aws/config").exists());
}

#[test]
fn a_user_of_the_same_name_in_a_second_kubeconfig_is_seen() {
    let home = Home::new();
    let second = home.write("second", "users:\n- name: tokenry\n  user:\n    token: t\n");
    let both = std::env::join_paths([home.path("first"), second]).unwrap();
    let error = planned(&home, "kubectl", "KUBECONFIG", both.to_str().unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("second has another user called tokenry"),
        "{error}"
    );
    home.write("second", "users:\n- name: a\n  user: {}\n");
    let view = planned(&home, "kubectl", "KUBECONFIG", both.to_str().unwrap()).unwrap();
    assert!(view.changes[0].path.ends_with("first"));
}

#[test]
fn a_shell_that_is_not_known_is_asked_for() {
    for shell in ["/bin/dash", "/usr/bin/nu", "x"] {
        let error = planned(&Home::new(), "oidc-agent", "SHELL", shell).unwrap_err();
        assert!(error.next_step().contains("--client"), "{error:?}");
    }
    let view = planned(&Home::new(), "oidc-agent", "SHELL", "/usr/bin/zsh").unwrap();
    assert!(view.changes[0].path.ends_with(".zshrc"));
}
