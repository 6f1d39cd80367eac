//! `tokenry setup` changes the configuration of other programs, with the real ones, and takes exactly that back.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, connected, token};
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::terminal::Terminal;

/// A host that no server needs to have: git asks its helpers for it.
const HOST: &str = "http://127.0.0.1:9";

const GIT_CONFIG: &str =
    "# mine\n[user]\n\tname = Ada\n[credential]\n\thelper = !echo \"$1\" >>\"$HOME/other\"; cat";

fn home(profile: &Profile, name: &str) -> PathBuf {
    PathBuf::from(&profile.env()["HOME"]).join(name)
}

fn write(profile: &Profile, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = home(profile, name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn git(profile: &Profile, arguments: &[&str], input: &str) -> Finished {
    let mut git = Command::new("git");
    git.env_clear()
        .envs(profile.env())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(profile.scratch())
        .args(arguments);
    let mut running = Running::start(git);
    running.write(input);
    running.wait()
}

fn listed(profile: &Profile, tool: &str) -> Value {
    let all = profile.tokenry(&["setup", "--json"]).success().json();
    let found = all.as_array().unwrap().iter().find(|one| one["tool"] == tool);
    found.unwrap().clone()
}

#[test]
fn git_gets_a_token_after_one_command_and_no_other_helper_learns_it() {
    let (_sandbox, profile, _engine) = connected("forge");
    let config = write(&profile, ".gitconfig", GIT_CONFIG);
    assert_eq!(listed(&profile, "git")["state"], "not_set_up");
    let set_up = ["setup", "git", "--host", HOST, "--connection", "forge", "--yes"];
    let done = profile.tokenry(&set_up).success();
    assert!(
        done.stdout.contains("+[credential \"http://127.0.0.1:9\"]"),
        "{done:?}"
    );
    assert_eq!(listed(&profile, "git")["state"], "works");

    let asked = "protocol=http\nhost=127.0.0.1:9\n\n";
    let filled = git(&profile, &["credential", "fill"], asked).success().stdout;
    let password = format!("password={}\n", token(&profile, "forge"));
    assert!(filled.contains(&password), "{filled}");
    git(&profile, &["credential", "approve"], &filled).success();
    assert!(!home(&profile, "other").exists(), "another helper was called");

    // The host that is set up already is bound, and not the one that came last.
    profile
        .tokenry(&["setup", "git", "git.example", "--yes"])
        .success();
    profile.tokenry(&["bind", HOST, "--remove"]).success();
    profile.tokenry(&set_up).success();
    let bound = profile.tokenry(&["bind", "--json"]).success().json();
    assert_eq!(bound, json!([[HOST, "forge"]]));
    profile
        .tokenry(&["setup", "--undo", "git", "git.example", "--yes"])
        .success();

    let once = fs::read(&config).unwrap();
    let again = profile.tokenry(&set_up[..4]);
    assert_ne!(
        again.code, 0,
        "without a terminal and --yes it writes nothing: {again:?}"
    );
    let again = profile.tokenry(&set_up).success();
    assert!(again.stderr.contains("Nothing to change"), "{again:?}");
    assert_eq!(fs::read(&config).unwrap(), once);

    profile.tokenry(&["setup", "--undo", "git", "--yes"]).success();
    assert_eq!(fs::read_to_string(&config).unwrap(), GIT_CONFIG);
    let asked = "protocol=http\nhost=127.0.0.1:9\nusername=x\npassword=y\n\n";
    git(&profile, &["credential", "approve"], asked).success();
    assert_eq!(fs::read_to_string(home(&profile, "other")).unwrap(), "store\n");
}

#[test]
fn what_git_wrote_meanwhile_stays_after_the_undo() {
    let profile = Profile::headless();
    let config = write(&profile, ".gitconfig", GIT_CONFIG);
    profile
        .tokenry(&["setup", "git", "github.com", "--yes"])
        .success();
    for (key, value) in [
        ("credential.https://github.com.username", "ada"),
        ("user.email", "ada@example.com"),
    ] {
        git(&profile, &["config", "--global", key, value], "").success();
    }
    let read = |key: &str| git(&profile, &["config", "--global", "--get-all", key], "").stdout;
    assert_eq!(read("credential.https://github.com.helper").lines().count(), 2);
    profile
        .tokenry(&["setup", "--undo", "git", "--host", "github.com", "--yes"])
        .success();
    assert_eq!(read("credential.https://github.com.helper"), "");
    assert_eq!(read("credential.https://github.com.username"), "ada\n");
    assert_eq!(read("user.email"), "ada@example.com\n");
    assert!(read("credential.helper").contains("other"));
    assert!(fs::read_to_string(config).unwrap().starts_with("# mine\n"));
}

#[test]
fn a_question_shows_the_change_and_only_a_yes_writes_it() {
    let profile = Profile::headless();
    let config = write(&profile, ".gitconfig", GIT_CONFIG);
    for (answer, count) in [("\n", 0), ("n\n", 0), ("y\n", 1)] {
        let mut setup = Terminal::start(&profile.command("tokenry", &["setup", "git"]));
        let shown = setup.shows("Write this? [y/N] ");
        assert!(
            shown.contains(".gitconfig") && shown.contains("git-credential"),
            "{shown}"
        );
        setup.types(answer);
        assert_eq!(setup.ends().0, 0);
        let text = fs::read_to_string(&config).unwrap();
        assert_eq!(text.matches("git-credential").count(), count);
    }
    let dry = profile
        .tokenry(&["setup", "--undo", "git", "--dry-run", "--json"])
        .success()
        .json();
    assert_eq!(
        (&dry["written"], dry["changes"].as_array().unwrap().len()),
        (&json!(false), 1)
    );
    assert!(fs::read_to_string(&config).unwrap().contains("git-credential"));
}

#[test]
fn dockers_other_helpers_stay_and_a_program_of_its_name_is_linked() {
    let mut profile = Profile::headless();
    let text = "{\r\n    \"auths\": {\"r.example\": {\"auth\": \"S3CR3T\"}},\r\n    \"credsStore\": \"desktop\"\r\n}";
    let dotfiles = write(&profile, "dotfiles/config.json", text);
    fs::set_permissions(&dotfiles, PermissionsExt::from_mode(0o640)).unwrap();
    let config = home(&profile, ".docker/config.json");
    fs::create_dir(config.parent().unwrap()).unwrap();
    symlink("../dotfiles/config.json", &config).unwrap();
    let bin = home(&profile, ".local/bin");
    let path = std::env::split_paths(&profile.env()["PATH"]).chain([bin.clone()]);
    let path = std::env::join_paths(path.collect::<Vec<_>>()).unwrap();
    profile.set("PATH", path);

    let done = profile
        .tokenry(&["setup", "docker", "--host", "ghcr.io", "--yes"])
        .success();
    assert!(!done.stdout.contains("S3CR3T"), "{done:?}");
    let written: Value = serde_json::from_str(&fs::read_to_string(&config).unwrap()).unwrap();
    assert_eq!(written["credHelpers"], json!({"ghcr.io": "tokenry"}));
    assert_eq!(written["credsStore"], "desktop");
    let link = bin.join("docker-credential-tokenry");
    assert_eq!(
        link.canonicalize().unwrap(),
        program("tokenry").canonicalize().unwrap()
    );
    assert_eq!(listed(&profile, "docker")["entries"][0]["problem"], Value::Null);

    profile.tokenry(&["setup", "--undo", "docker", "--yes"]).success();
    assert_eq!(fs::read_to_string(&dotfiles).unwrap(), text);
    assert_eq!(dotfiles.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(config.is_symlink() && !link.exists() && !bin.exists());
}

#[test]
fn each_installed_client_of_mcp_gets_the_server_and_keeps_its_comments() {
    let profile = Profile::headless();
    let code = "{\n\t// mine\n\t\"servers\": {\n\t\t\"a\": {\"url\": \"https://a.example\"},\n\t},\n}\n";
    let claude = "{\"numStartups\":3,\"mcpServers\":{\"docs\":{\"command\":\"npx\",\"args\":[\"mcp-remote\",\"https://mcp.example.com/mcp\"]}}}";
    let codex = "model = \"m\" # why\n\n[mcp_servers.b]\ncommand = \"b\"\n";
    let files = [
        (write(&profile, ".config/Code/User/mcp.json", code), code),
        (write(&profile, ".claude.json", claude), claude),
        (write(&profile, ".codex/config.toml", codex), codex),
    ];
    let set_up = ["setup", "mcp", "https://mcp.example.com/mcp", "--yes"];
    profile.tokenry(&set_up).success();
    let texts: Vec<_> = files
        .iter()
        .map(|(path, _)| fs::read_to_string(path).unwrap())
        .collect();
    let command = program("tokenry").display().to_string();
    for (text, kept) in texts.iter().zip(["// mine", "\"numStartups\":3", "# why"]) {
        assert!(text.contains(&command) && text.contains(kept), "{text}");
    }
    // The entry of mcp-remote for the same address is replaced.
    let claude: Value = serde_json::from_str(&texts[1]).unwrap();
    let expected =
        json!({"command": command, "args": ["mcp", "https://mcp.example.com/mcp"], "type": "stdio"});
    assert_eq!(claude["mcpServers"], json!({"docs": expected}));
    assert_eq!(
        listed(&profile, "mcp")["entries"][0]["paths"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let edited = texts[0].replace("// mine", "// still mine");
    fs::write(&files[0].0, edited).unwrap();
    profile.tokenry(&["setup", "--undo", "mcp", "--yes"]).success();
    for (at, (path, before)) in files.iter().enumerate() {
        let before = if at == 0 {
            before.replace("// mine", "// still mine")
        } else {
            (*before).to_owned()
        };
        let now = fs::read_to_string(path).unwrap();
        assert_eq!(now, before);
    }
}

#[test]
fn a_broken_file_is_named_with_the_line_and_is_not_touched() {
    let profile = Profile::headless();
    for (tool, name, text, says) in [
        (
            "docker",
            ".docker/config.json",
            "{\n\"secret\": S3CR3T\n}",
            "line 2",
        ),
        (
            "git",
            ".gitconfig",
            "[user\nname = S3CR3T\n",
            "cannot be read by git",
        ),
    ] {
        let path = write(&profile, name, text);
        let failed = profile.tokenry(&["setup", tool, "--yes"]);
        assert_ne!(failed.code, 0);
        assert!(
            failed.stderr.contains(says) && failed.stderr.contains(name),
            "{failed:?}"
        );
        assert!(!format!("{failed:?}").contains("S3CR3T"), "{failed:?}");
        assert_eq!(fs::read_to_string(path).unwrap(), text);
    }
    let failed = profile.tokenry(&["setup", "--undo", "docker", "--yes"]);
    assert!(failed.stderr.contains("did not set up docker"), "{failed:?}");
    let failed = profile.tokenry(&["setup", "toaster", "--yes"]);
    assert!(failed.stderr.contains("Known tools: git, docker"), "{failed:?}");
}

#[test]
fn a_host_without_a_connection_says_which_command_makes_one() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let done = profile
        .tokenry(&["setup", "git", "--host", "github.com", "--yes"])
        .success();
    assert!(done.stderr.contains("`tokenry connect github`"), "{done:?}");
    let shown = profile.tokenry(&["setup"]).success().stdout;
    assert!(
        shown.contains("does not work") && shown.contains("tokenry connect github"),
        "{shown}"
    );
    let done = profile
        .tokenry(&["setup", "git", "--host", "git.example", "--yes"])
        .success();
    assert!(
        done.stderr.contains("tokenry bind https://git.example"),
        "{done:?}"
    );
}

#[test]
fn further_tools_are_set_up_and_taken_back_byte_for_byte() {
    let mut profile = Profile::headless();
    let bin = home(&profile, ".local/bin");
    let path = std::env::split_paths(&profile.env()["PATH"]).chain([bin]);
    let path = std::env::join_paths(path.collect::<Vec<_>>()).unwrap();
    profile.set("PATH", path);
    let link = |name: &str| home(&profile, name);
    let aws = [
        "--connection",
        "corp",
        "--role",
        "arn:aws:iam::123456789012:role/ci",
    ];
    let index = ["sparse+https://crates.example.com/index/", "--name", "private"];
    for (tool, options, name, before, added, linked) in [
        (
            "cargo",
            &index[..],
            ".cargo/config.toml",
            "# mine\n[registries.other]\nindex = \"sparse+https://o.example/\"\n",
            "credential-provider = [\"",
            Some(".local/share/io.github.tokenry/bin/cargo-credential-tokenry"),
        ),
        (
            "pip",
            &["packages.example"],
            ".config/pip/pip.conf",
            "[global]\ntimeout = 60\n[install]\nuser = yes\n",
            "[global]\nkeyring-provider = subprocess\ntimeout",
            Some(".local/bin/keyring"),
        ),
        (
            "uv",
            &["packages.example"],
            ".config/uv/uv.toml",
            "offline = false # for now\n\n[pip]\nstrict = true\n",
            "keyring-provider = \"subprocess\"\n",
            Some(".local/bin/keyring"),
        ),
        (
            "terraform",
            &[],
            ".terraformrc",
            "disable_checkpoint = true",
            "true\ncredentials_helper \"tokenry\" {}\n",
            Some(".terraform.d/plugins/terraform-credentials-tokenry"),
        ),
        (
            "aws",
            &aws,
            ".aws/config",
            "[default]\nregion = eu-central-1\n",
            "\n[profile tokenry]\ncredential_process = ",
            None,
        ),
    ] {
        let file = write(&profile, name, before);
        let read = || fs::read_to_string(&file).unwrap();
        let set_up = [&["setup", tool, "--yes"], options].concat();
        let run = |arguments: &[&str]| profile.tokenry(arguments);
        let done = run(&set_up).success();
        assert!(read().contains(added), "{tool}: {done:?} {}", read());
        assert!(linked.is_none_or(|name| link(name).is_symlink()), "{tool}");
        let once = read();
        run(&set_up).success();
        assert_eq!(read(), once, "{tool}");
        assert_eq!(
            listed(&profile, tool)["entries"][0]["problem"],
            Value::Null,
            "{tool}"
        );
        run(&["setup", "--undo", tool, "--yes"]).success();
        assert_eq!(read(), before, "{tool}");
        assert!(linked.is_none_or(|name| !link(name).exists()), "{tool}");
    }
    let google = [
        "setup",
        "google",
        "--connection",
        "corp",
        "--audience",
        "//iam.example/p",
        "--yes",
    ];
    profile.tokenry(&google).success();
    let file = home(&profile, ".config/tokenry/google-corp.json");
    let account: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let command = account["credential_source"]["executable"]["command"]
        .as_str()
        .unwrap();
    assert!(
        command.ends_with("/tokenry google-credential --connection corp"),
        "{command}"
    );
    profile.tokenry(&["setup", "--undo", "google", "--yes"]).success();
    assert!(!file.exists() && !file.parent().unwrap().exists());
    let mail = profile
        .tokenry(&["setup", "mail", "--connection", "work"])
        .success()
        .stdout;
    assert!(
        mail.contains("passwordeval") && mail.contains("token work"),
        "{mail}"
    );
}

#[test]
fn what_another_program_owns_in_a_file_is_not_replaced() {
    let profile = Profile::headless();
    let aws = [
        "--name",
        "work",
        "--connection",
        "corp",
        "--role",
        "arn:aws:iam::123456789012:role/ci",
    ];
    for (tool, options, name, text, says) in [
        (
            "terraform",
            &[][..],
            ".terraformrc",
            "credentials_helper \"other\" {}\n",
            "another credentials_helper",
        ),
        (
            "pip",
            &["packages.example"],
            ".config/pip/pip.conf",
            "[global]\nkeyring-provider = import\n",
            "another keyring-provider",
        ),
        (
            "aws",
            &aws,
            ".aws/config",
            "[profile work]\nsso_session = x\n",
            "sso_session in the profile work",
        ),
        (
            "cargo",
            &["sparse+https://crates.example.com/", "--name", "private"],
            ".cargo/config.toml",
            "[registries.private]\nindex = \"https://other.example\"\n",
            "another registry",
        ),
    ] {
        let file = write(&profile, name, text);
        let failed = profile.tokenry(&[&["setup", tool, "--yes"], options].concat());
        assert_ne!(failed.code, 0, "{tool}");
        assert!(failed.stderr.contains(says), "{failed:?}");
        assert_eq!(fs::read_to_string(file).unwrap(), text);
    }
}
