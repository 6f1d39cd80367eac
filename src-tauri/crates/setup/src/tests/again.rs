//! Setting up again, with other options or after another program wrote the file.

use super::*;

fn google(audience: &str) -> Options {
    Options {
        connection: Some("corp".to_owned()),
        audience: Some(audience.to_owned()),
        ..Options::default()
    }
}

#[test]
fn another_audience_updates_the_file_for_google() {
    let home = Home::new();
    let path = home.path(".config/tokenry/google-corp.json");
    home.set_up_with("google", &google("//iam.example/one")).unwrap();
    let view = home.set_up_with("google", &google("//iam.example/two")).unwrap();
    assert!(
        view.changes[0]
            .diff
            .contains("+  \"audience\": \"//iam.example/two\""),
        "{view:?}"
    );
    assert!(read(&path).contains("two") && home.listed("google").len() == 1);
    home.undo("google", None).unwrap();
    assert!(!home.path(".config").exists());
}

#[test]
fn a_file_for_google_that_the_user_changed_is_not_replaced() {
    let home = Home::new();
    let path = home.path(".config/tokenry/google-corp.json");
    home.set_up_with("google", &google("//iam.example/one")).unwrap();
    fs::write(&path, "{}").unwrap();
    home.set_up_with("google", &google("//iam.example/two"))
        .unwrap_err();
    assert_eq!(read(&path), "{}");
    home.undo("google", None).unwrap();
    assert_eq!(read(&path), "{}");
}

#[test]
fn each_entry_works_after_setting_up_again_with_tokenry_at_a_new_path() {
    let home = Home::new();
    home.set_up("terraform", "git.example").unwrap();
    fs::create_dir(home.path("new")).unwrap();
    fs::rename(home.path("bin/tokenry"), home.path("new/tokenry")).unwrap();
    let problem = home.listed("terraform")[0].problem.clone().unwrap();
    assert!(problem.contains("cannot be started"), "{problem}");
    let options = Options {
        address: Some("git.example".to_owned()),
        ..Options::default()
    };
    let moved = home.environment_of("new/tokenry");
    let again = plan(&moved, "terraform", &options).unwrap();
    write(&moved, again).unwrap();
    assert_eq!(home.listed("terraform")[0].problem, None);
    assert!(plan(&moved, "terraform", &options).unwrap().is_empty());
    home.undo("terraform", None).unwrap();
    assert!(!home.path(".terraformrc").exists() && !home.path(".terraform.d").exists());
}

#[test]
fn dockers_hub_is_taken_back_under_each_of_its_names() {
    for name in ["docker.io", "index.docker.io", "https://index.docker.io/v1/"] {
        let home = Home::new();
        home.set_up("docker", "docker.io").unwrap();
        home.undo("docker", Some(name)).unwrap();
        assert!(home.listed("docker").is_empty(), "{name}");
    }
}

fn kubectl(connection: &str) -> Options {
    Options {
        connection: Some(connection.to_owned()),
        ..Options::default()
    }
}

/// What kubectl makes of a file that it writes: keys are sorted, and quotes are left out.
fn sorted(home: &Home) -> String {
    format!(
        "apiVersion: v1\nclusters: null\nkind: Config\nusers:\n- name: a\n  user:\n    token: t\n- name: tokenry\n  \
         user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n      - \
         kubectl-credential\n      - --connection=corp\n      command: {}\n      env: null\n      interactiveMode: \
         Never\n      provideClusterInfo: false\n",
        home.path("bin/tokenry").display()
    )
}

#[test]
fn a_user_of_kubectl_works_and_is_removed_after_kubectl_wrote_the_file() {
    let home = Home::new();
    let path = home.path(".kube/config");
    home.set_up_with("kubectl", &kubectl("corp")).unwrap();
    fs::write(&path, sorted(&home)).unwrap();
    assert_eq!(home.listed("kubectl")[0].problem, None);
    let view = home.set_up_with("kubectl", &kubectl("corp")).unwrap();
    assert!(view.changes.is_empty(), "{view:?}");
    let notes = home.undo("kubectl", None).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(
        read(&path),
        "apiVersion: v1\nclusters: null\nkind: Config\nusers:\n- name: a\n  user:\n    token: t\n"
    );
}

#[test]
fn another_connection_replaces_the_user_of_kubectl() {
    let home = Home::new();
    let path = home.path(".kube/config");
    home.set_up_with("kubectl", &kubectl("corp")).unwrap();
    fs::write(&path, sorted(&home)).unwrap();
    home.set_up_with("kubectl", &kubectl("work")).unwrap();
    let text = read(&path);
    assert!(text.contains("=work") && !text.contains("=corp"), "{text}");
    assert_eq!(home.listed("kubectl").len(), 1);
    home.undo("kubectl", None).unwrap();
    assert!(!read(&path).contains("tokenry") && read(&path).contains("token: t"));
}

#[test]
fn a_user_of_kubectl_that_is_not_ours_is_left_with_a_command_that_removes_it() {
    let home = Home::new();
    let path = home.path(".kube/config");
    home.set_up_with("kubectl", &kubectl("corp")).unwrap();
    let theirs = sorted(&home).replace("env: null", "env:\n      - name: A\n        value: b");
    fs::write(&path, &theirs).unwrap();
    let error = home.set_up_with("kubectl", &kubectl("corp")).unwrap_err();
    assert_eq!(error.next_step(), "Choose another name with --name.");
    let notes = home.undo("kubectl", None).unwrap();
    assert!(
        notes[0].contains("`kubectl config delete-user tokenry`"),
        "{notes:?}"
    );
    assert_eq!(read(&path), theirs);
}
